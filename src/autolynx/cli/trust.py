"""What `autolynx doctor` finds about secrets, and about who is believed."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from autolynx.cli.finding import Finding
from autolynx.provider.probe import is_private_address
from autolynx.settings import Settings
from autolynx.settings_secrets import SECRETS, SecretRule
from autolynx.web.webhook_proof import webhook_auth


def look_at_trust(settings: Settings) -> list[Finding]:
    """Look at every secret, the proof of webhooks, the public address and the proxies before it."""
    return [*_secrets(settings), *_proof(settings), *_address(settings), *_proxies(settings)]


def _secrets(settings: Settings) -> Iterator[Finding]:
    for rule in SECRETS:
        weak = rule.weakness(settings)
        if weak is not None:
            yield Finding(
                subject=rule.name, sentence=f"{weak}.", mend=rule.remedy, is_warning=_is_bearable(rule, settings)
            )
        elif rule.values(settings):
            yield Finding(subject=rule.name, sentence=_is_set(rule, settings))
        elif rule.is_missing(settings) and rule.name != "VAPI_API_KEY":  # about that the provider's own line speaks
            yield _missing(rule, settings)


def _is_set(rule: SecretRule, settings: Settings) -> str:
    count = len(rule.values(settings))
    return "set." if count == 1 else f"set; {count} are accepted, to be exchanged."


def _is_bearable(rule: SecretRule, settings: Settings) -> bool:
    """Whether a weak secret may stay for now: one that a service gave, or that of a database on this machine."""
    return not rule.is_ours or (rule.name == "VAPI_API_KEY" and settings.environment != "production")


def _missing(rule: SecretRule, settings: Settings) -> Finding:
    """Webhooks need their secret at once, unless a credential at the provider will bring one."""
    is_webhooks = rule.name.startswith("WEBHOOK_") and not settings.vapi_webhook_credential_id
    return Finding(
        subject=rule.name, sentence=f"not set; {rule.without}.", mend=rule.remedy, is_warning=not is_webhooks
    )


def _proof(settings: Settings) -> Iterator[Finding]:
    schemes = ", ".join(settings.webhook_schemes)
    if not webhook_auth(settings).is_configured:
        mend = "Set WEBHOOK_SHARED_SECRET, or WEBHOOK_SCHEMES to hmac and WEBHOOK_HMAC_SECRET to the key."
        sentence = f"nothing is configured that {schemes or 'they'} could prove: every webhook is refused."
        yield Finding(subject="webhooks", sentence=sentence, mend=mend)
    elif set(settings.webhook_schemes) != {"hmac"} and not settings.rereads_ends:
        sentence = f"{schemes}: whoever learns the secret can end calls and invent results."
        mend = "Set WEBHOOK_REREAD to auto, or accept signatures alone: WEBHOOK_SCHEMES=hmac."
        yield Finding(subject="webhooks", sentence=sentence, mend=mend, is_warning=True)
    else:
        asked = "ends are confirmed by the provider" if settings.rereads_ends else "signed, and believed as they are"
        yield Finding(subject="webhooks", sentence=f"{schemes}; {asked}.")


def _address(settings: Settings) -> Iterator[Finding]:
    is_plain = urlsplit(settings.public_url).scheme == "http"
    if is_plain and settings.environment == "production":
        yield Finding(
            subject="PUBLIC_URL",
            sentence="http: sessions, tokens and webhook secrets travel readable by everybody on the way.",
            mend="Put a web server with TLS before AutoLynx and set PUBLIC_URL to its https address.",
        )
    elif is_plain and not is_private_address(settings.public_url):
        yield Finding(
            subject="PUBLIC_URL",
            sentence="http, at an address that the Internet can reach.",
            mend="Use https, and set AUTOLYNX_ENV to production.",
            is_warning=True,
        )


def _proxies(settings: Settings) -> Iterator[Finding]:
    if "*" in settings.trusted_proxies and settings.runtime == "server":
        yield Finding(
            subject="TRUSTED_PROXIES",
            sentence="everybody is believed about where a request comes from.",
            mend="Name the addresses of your proxies, unless nothing else can reach this process.",
            is_warning=True,
        )
