"""Mail: how a link reaches somebody. Where no mail server is set, links are printed by the command line alone."""

import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol

import aiosmtplib

from autolynx.errors import MailFailed

TIMEOUT_SECONDS = 15.0


class MailSecurity(StrEnum):
    """How the way to the mail server is kept secret."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send a message of plain text. Raises MailFailed."""


@dataclass(frozen=True, kw_only=True)
class SmtpMailer:
    """Sends mail through the server that the SMTP_ settings name."""

    host: str
    port: int
    sender: str
    security: MailSecurity = MailSecurity.STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = field(default=None, repr=False)

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send a message of plain text. Raises MailFailed; the address is not repeated in it."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.security is MailSecurity.TLS,
                start_tls=self.security is MailSecurity.STARTTLS,
                tls_context=self.trust,
                timeout=TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailFailed(f"The mail could not be sent ({type(error).__name__}); see the SMTP_ settings.") from None
