"""What the settings accept as proof that a webhook comes from the provider."""

from dataclasses import replace

from autolynx.provider.webhook_auth import Hmac, Scheme, WebhookAuth, github_like, svix_like
from autolynx.settings import Settings

_PRESETS = {"github": github_like, "svix": svix_like}


def webhook_auth(settings: Settings) -> WebhookAuth:
    """Return what the settings accept; without a secret nothing passes."""
    return WebhookAuth(
        schemes=tuple(Scheme(scheme) for scheme in settings.webhook_schemes),
        secrets=settings.webhook_secrets,
        bearer_header=settings.webhook_bearer_header,
        hmac=_hmac(settings),
    )


def _hmac(settings: Settings) -> Hmac:
    """Return the preset, with what the settings say differently."""
    secrets = settings.webhook_hmac_secrets
    preset = _PRESETS.get(settings.webhook_hmac_preset)
    made = preset(secrets) if preset else Hmac(secrets=secrets)
    made = replace(
        made, algorithm=settings.webhook_hmac_algorithm, tolerance_seconds=settings.webhook_hmac_tolerance_seconds
    )
    if settings.webhook_hmac_signature_header:
        made = replace(made, signature_headers=(settings.webhook_hmac_signature_header,))
    if settings.webhook_hmac_timestamp_header:
        made = replace(made, timestamp_header=settings.webhook_hmac_timestamp_header)
    if settings.webhook_hmac_message_id_header:
        made = replace(made, message_id_header=settings.webhook_hmac_message_id_header)
    if settings.webhook_hmac_secret_is_base64 is not None:
        made = replace(made, is_secret_base64=settings.webhook_hmac_secret_is_base64)
    if settings.webhook_hmac_format:
        is_timed = "{timestamp}" in settings.webhook_hmac_format
        made = replace(made, payload_formats=(settings.webhook_hmac_format,), is_timestamp_required=is_timed)
    return made
