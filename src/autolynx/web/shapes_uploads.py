"""How an upload looks outside: its report, and the preview a person decides by."""

from datetime import datetime
from uuid import UUID

from autolynx.domain.import_report import ImportReport, UploadStatus, UploadView
from autolynx.web.shapes import Shape


class SkippedRowShape(Shape):
    """A row that was not taken: its number in a spreadsheet, and why."""

    row: int
    reason: str
    field: str | None
    value: str
    data: dict[str, str]


class DuplicateRowShape(Shape):
    """A row whose number an earlier row has."""

    row: int
    first_row: int
    reason: str


class ImportReportShape(Shape):
    """The counts are of all rows; the lists are cut at 1,000 rows each."""

    total_rows: int
    accepted: int
    duplicates: int
    skipped_rows: int
    skipped: list[SkippedRowShape]
    duplicate_rows: list[DuplicateRowShape]

    @classmethod
    def of(cls, report: ImportReport) -> "ImportReportShape":
        """Show a report."""
        return cls(
            total_rows=report.total_rows,
            accepted=report.accepted,
            duplicates=report.duplicates,
            skipped_rows=report.skipped_rows,
            skipped=[
                SkippedRowShape(row=one.row, reason=one.reason, field=one.field, value=one.value, data=one.data)
                for one in report.skipped
            ],
            duplicate_rows=[
                DuplicateRowShape(row=one.row, first_row=one.first_row, reason=one.reason)
                for one in report.duplicate_rows
            ],
        )


class PreviewRowShape(Shape):
    """A contact as it will be called."""

    row: int
    name: str
    business_name: str
    phone: str
    extension: str | None
    variables: dict[str, str]


class ColumnShape(Shape):
    """A column of the file and what it is used for."""

    header: str
    use: str


class FileUseShape(Shape):
    """A campaign that took the very same file; without id and name where it is somebody else's."""

    campaign_id: UUID | None
    campaign_name: str | None
    loaded_at: datetime


class PreviewShape(Shape):
    """What a person looks at before creating a campaign."""

    rows: list[PreviewRowShape]
    columns: list[ColumnShape]
    notices: list[str]
    seen_before: list[FileUseShape]
    recently_called: int
    recent_call_days: int


class UploadShape(Shape):
    """An upload; its report is complete once the status is `ready`."""

    upload_id: UUID
    status: UploadStatus
    file_name: str
    region: str
    report: ImportReportShape
    preview: PreviewShape
    received_parts: list[int]
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, view: UploadView) -> "UploadShape":
        """Show an upload."""
        return cls(
            upload_id=view.id,
            status=view.status,
            file_name=view.file_name,
            region=view.region,
            report=ImportReportShape.of(view.report),
            preview=_preview(view),
            received_parts=list(view.received_parts),
            created_at=view.created_at,
            expires_at=view.expires_at,
        )


def _preview(view: UploadView) -> PreviewShape:
    return PreviewShape(
        rows=[
            PreviewRowShape(
                row=one.row,
                name=one.name,
                business_name=one.business_name,
                phone=one.phone,
                extension=one.extension,
                variables=one.variables,
            )
            for one in view.preview
        ],
        columns=[ColumnShape(header=one.header, use=one.use) for one in view.columns],
        notices=list(view.notices),
        seen_before=[
            FileUseShape(campaign_id=one.campaign_id, campaign_name=one.campaign_name, loaded_at=one.loaded_at)
            for one in view.seen_before
        ],
        recently_called=view.recently_called,
        recent_call_days=view.recent_call_days,
    )
