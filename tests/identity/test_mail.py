"""Mail through a real mail server: in the open, by STARTTLS, by TLS, refused, and gone."""

from pathlib import Path

import pytest

from autolynx.errors import MailFailed
from autolynx.identity.mail import MailSecurity, SmtpMailer
from tests.support.engine import free_port
from tests.support.mail_server import HOST, PASSWORD, SENDER, USER, MailServer, running_mail_server

pytestmark = pytest.mark.anyio

WHOM = "somebody@example.com"
SECRET_WAYS = [MailSecurity.STARTTLS, MailSecurity.TLS]


async def send(
    mailer: SmtpMailer, subject: str = "Your link", text: str = "Open it: http://here/enter?ticket=al_x"
) -> None:
    await mailer.send(to=WHOM, subject=subject, text=text)


async def test_a_message_arrives_as_it_was_written(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server:
        await send(server.mailer(), "Ihr Zugang für Zoë", "Zeile eins\n\nhttp://here/enter?ticket=al_äöü\n")
        (message,) = server.outbox
        assert (message["From"], message["To"], message["Subject"]) == (SENDER, WHOM, "Ihr Zugang für Zoë")
        assert message["Auto-Submitted"] == "auto-generated"
        assert message.get_content_type() == "text/plain"
        assert message.get_content().replace("\r\n", "\n") == "Zeile eins\n\nhttp://here/enter?ticket=al_äöü\n"


async def test_it_signs_in_once_the_way_is_secret(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path, security=MailSecurity.STARTTLS) as server:
        await send(server.mailer(MailSecurity.STARTTLS, user=USER, password=PASSWORD, trust=server.trust))
        assert len(server.outbox) == 1


async def test_the_way_may_be_secret_from_the_first_byte(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path, security=MailSecurity.TLS) as server:
        await send(server.mailer(MailSecurity.TLS, trust=server.trust))
        assert len(server.outbox) == 1


@pytest.mark.parametrize("security", SECRET_WAYS)
async def test_a_certificate_that_nobody_vouches_for_is_not_believed(tmp_path: Path, security: MailSecurity) -> None:
    async with running_mail_server(tmp_path, security=security) as server:
        await fails(server, server.mailer(security, user=USER, password=PASSWORD))


async def test_no_password_is_sent_in_the_open_by_a_server_that_takes_the_secrecy_away(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path) as server:  # it knows no STARTTLS
        await fails(server, server.mailer(MailSecurity.STARTTLS, user=USER, password=PASSWORD, trust=server.trust))


async def test_a_refused_login_is_told_without_login_and_address(tmp_path: Path) -> None:
    async with running_mail_server(tmp_path, security=MailSecurity.STARTTLS) as server:
        wrong = server.mailer(MailSecurity.STARTTLS, user=USER, password="wrong", trust=server.trust)
        await fails(server, wrong)


async def test_a_server_that_is_gone_is_told_without_the_address() -> None:
    gone = SmtpMailer(host=HOST, port=free_port(), sender=SENDER, security=MailSecurity.NONE)
    with pytest.raises(MailFailed) as failure:
        await send(gone)
    is_plain(failure.value)


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: all@example.com", "Hello\nX: y"])
async def test_a_header_cannot_be_smuggled_in(tmp_path: Path, subject: str) -> None:
    async with running_mail_server(tmp_path) as server:
        with pytest.raises((MailFailed, ValueError)):
            await send(server.mailer(), subject)
        assert server.outbox == []


def test_a_mailer_shows_no_password() -> None:
    assert PASSWORD not in repr(SmtpMailer(host=HOST, port=25, sender=SENDER, user=USER, password=PASSWORD))


async def fails(server: MailServer, mailer: SmtpMailer) -> None:
    with pytest.raises(MailFailed) as failure:
        await send(mailer)
    is_plain(failure.value)
    assert server.outbox == []


def is_plain(error: MailFailed) -> None:
    """Check that an error tells neither whom it was for nor how we sign in, nor anything of the message."""
    shown = f"{error.message} {error.details} {error.__cause__}"
    assert "SMTP_ settings" in error.message
    for secret in (WHOM, USER, PASSWORD, "al_x"):
        assert secret not in shown
