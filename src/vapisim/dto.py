"""The shapes of request bodies: which keys exist, and what each may hold."""

from vapisim.validation import (
    Rule,
    anything,
    both,
    either,
    flag,
    iso_date,
    listing,
    number,
    one_of,
    phone_of_customer,
    record,
    text,
    uuid,
)

MODELS = [
    "anthropic",
    "anthropic-bedrock",
    "anyscale",
    "cerebras",
    "custom-llm",
    "deepinfra",
    "deep-seek",
    "google",
    "groq",
    "inflection-ai",
    "minimax",
    "openai",
    "openrouter",
    "perplexity-ai",
    "together-ai",
    "xai",
    "vapi",
    "azure-openai",
    "mistral",
    "baseten",
]
VOICES = [
    "azure",
    "cartesia",
    "custom-voice",
    "deepgram",
    "11labs",
    "hume",
    "lmnt",
    "neuphonic",
    "openai",
    "playht",
    "wellsaid",
    "rime-ai",
    "smallest-ai",
    "tavus",
    "vapi",
    "sesame",
    "inworld",
    "minimax",
    "xai",
    "microsoft",
]
TRANSCRIBERS = [
    "assembly-ai",
    "azure",
    "custom-transcriber",
    "deepgram",
    "11labs",
    "gladia",
    "google",
    "speechmatics",
    "talkscriber",
    "openai",
    "cartesia",
    "soniox",
    "xai",
    "vapi",
]
SERVER_MESSAGES = (
    "assistant.started",
    "assistant.speechStarted",
    "call.artifact.upload",
    "call.delete.failed",
    "call.deleted",
    "chat.created",
    "chat.deleted",
    "conversation-update",
    "end-of-call-report",
    "function-call",
    "handoff-destination-request",
    "hang",
    "language-change-detected",
    "language-changed",
    "model-output",
    "phone-call-control",
    "session.created",
    "session.deleted",
    "session.updated",
    "speech-update",
    "status-update",
    "tool-calls",
    "transcript",
    'transcript[transcriptType="final"]',
    "transfer-destination-request",
    "transfer-update",
    "user-interrupted",
    "voice-input",
)
FIRST_MESSAGE_MODES = (
    "assistant-speaks-first",
    "assistant-speaks-first-with-model-generated-message",
    "assistant-waits-for-user",
)

BACKOFF_PLAN = record(
    {
        "type": one_of("fixed", "exponential"),
        "maxRetries": number(0, 10),
        "baseDelaySeconds": number(0, 10),
        "excludedStatusCodes": listing(number()),
    },
    required=("type", "maxRetries", "baseDelaySeconds"),
)
SERVER = record(
    {
        "url": text(),
        "timeoutSeconds": number(1, 300),
        "credentialId": text(),
        "headers": record({}, is_open=True),
        "backoffPlan": BACKOFF_PLAN,
        "staticIpAddressesEnabled": flag(),
        "encryptedPaths": listing(text()),
        "secret": text(),
    }
)
MODEL_FIELDS: dict[str, Rule] = {
    "provider": one_of(*MODELS),
    "model": text(),
    "temperature": number(0, 2),
    "maxTokens": number(50, 10000),
    "messages": listing(record({}, is_open=True)),
}
MODEL = either(
    # The service's own model follows a workflow and needs no name
    record({**MODEL_FIELDS, "provider": one_of("vapi")}, required=("provider",), is_open=True),
    record(MODEL_FIELDS, required=("provider", "model"), is_open=True),
)
VOICEMAIL_DETECTION = either(
    one_of("off"),
    record(
        {
            "provider": one_of("google", "openai", "vapi", "twilio"),
            "beepMaxAwaitSeconds": number(0, 30),
            "type": one_of("audio", "transcript"),
            "backoffPlan": record(
                {"startAtSeconds": number(0), "frequencySeconds": number(2.5), "maxRetries": number(1, 10)}
            ),
        },
        required=("provider",),
        is_open=True,
    ),
)
ASSISTANT_FIELDS: dict[str, Rule] = {
    "name": text(longest=40),
    "firstMessage": text(),
    "firstMessageMode": one_of(*FIRST_MESSAGE_MODES),
    "firstMessageInterruptionsEnabled": flag(),
    "model": MODEL,
    "voice": record({"provider": one_of(*VOICES)}, required=("provider",), is_open=True),
    "transcriber": record({"provider": one_of(*TRANSCRIBERS)}, required=("provider",), is_open=True),
    "voicemailDetection": VOICEMAIL_DETECTION,
    "voicemailMessage": text(longest=1000),
    "endCallMessage": text(longest=1000),
    "endCallPhrases": listing(text(longest=140, shortest=2)),
    "maxDurationSeconds": number(10, 43200),
    "silenceTimeoutSeconds": number(10),
    "backgroundSound": text(),
    "server": SERVER,
    "serverMessages": listing(one_of(*SERVER_MESSAGES)),
    "clientMessages": listing(text()),
    "analysisPlan": record({}, is_open=True),
    "artifactPlan": record({"recordingEnabled": flag()}, is_open=True),
    "monitorPlan": record({"controlEnabled": flag(), "controlAuthenticationEnabled": flag()}, is_open=True),
    "compliancePlan": record({}, is_open=True),
    "startSpeakingPlan": record({"waitSeconds": number(0, 5)}, is_open=True),
    "stopSpeakingPlan": record(
        {"numWords": number(0, 10), "voiceSeconds": number(0, 0.5), "backoffSeconds": number(0, 10)},
        is_open=True,
    ),
    "metadata": record({}, is_open=True),
    "hooks": listing(record({}, is_open=True)),
    "credentials": listing(record({}, is_open=True)),
    "credentialIds": listing(text()),
    "observabilityPlan": anything(),
    "transportConfigurations": listing(record({}, is_open=True)),
    "backgroundSpeechDenoisingPlan": anything(),
    "keypadInputPlan": anything(),
    "modelOutputInMessagesEnabled": flag(),
    # Gone from the published schema, still accepted by the service
    "messagePlan": anything(),
    "serverUrl": text(),
    "serverUrlSecret": text(),
}
ASSISTANT = record(ASSISTANT_FIELDS)
OVERRIDES = record(
    {**ASSISTANT_FIELDS, "variableValues": record({}, is_open=True), "tools:append": listing(anything())}
)
CUSTOMER = both(
    record(
        {
            "number": text(longest=40, shortest=3),
            "numberE164CheckEnabled": flag(),
            "extension": text(longest=10),
            "sipUri": text(),
            "name": text(longest=40),
            "email": text(longest=40),
            "externalId": text(longest=40),
            "assistantOverrides": OVERRIDES,
            "squadOverrides": anything(),
        }
    ),
    phone_of_customer(),
)
CALL_FIELDS: dict[str, Rule] = {
    "assistantId": uuid(),
    "assistant": ASSISTANT,
    "assistantVersion": text(),
    "assistantOverrides": OVERRIDES,
    "squadId": uuid(),
    "squad": anything(),
    "squadOverrides": anything(),
    "squadVersion": text(),
    "workflowId": uuid(),
    "workflow": anything(),
    "workflowOverrides": anything(),
    "phoneNumberId": uuid(),
    "phoneNumber": record({}, is_open=True),
    "customer": CUSTOMER,
    "customerId": text(),
    "customers": listing(CUSTOMER),
    "schedulePlan": record({"earliestAt": iso_date(), "latestAt": iso_date()}, required=("earliestAt",)),
    "name": text(longest=40),
    "transport": anything(),
    # Never documented or no longer, still accepted by the service
    "type": text(),
    "maxDurationSeconds": number(10, 43200),
    "phoneCallProviderBypassEnabled": flag(),
}
CALL = record(CALL_FIELDS)
CALL_WITH_METADATA = record({**CALL_FIELDS, "metadata": record({}, is_open=True)})
CALL_PATCH = record({"name": text(longest=40)})
