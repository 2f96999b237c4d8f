"""What `autolynx doctor` has to say about one thing."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at. `mend` None: all well; a warning works, but not as one may think."""

    subject: str
    sentence: str
    mend: str | None = None
    is_warning: bool = False

    def lines(self) -> list[str]:
        """Return what is printed."""
        sign = "ok  " if self.mend is None else "warn" if self.is_warning else "MEND"
        first = f"{sign}  {self.subject}: {self.sentence}"
        return [first] if self.mend is None else [first, f"      {self.mend}"]
