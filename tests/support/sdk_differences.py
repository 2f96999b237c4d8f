"""Where the simulator is meant to differ from the types of the official SDK, each with the reason."""

AS_SENT = "bodies of the real service hold it, the published types do not name it"
ROW = "the real service sends the stored row where the types promise what created it"
LEGACY = "the shape of 2024, which some accounts still get"
STILL_TAKEN = "gone from the published types, still accepted by the service"
STILL_CALLED = "no longer offered, still found in end reasons of the service"

IN_EVERY_MESSAGE = {
    **dict.fromkeys((f"assistant.{key} is unknown" for key in ("id", "orgId", "createdAt", "updatedAt")), ROW),
    "assistant.latestVersion is unknown": ROW,
    "assistant.variableValues is unknown": AS_SENT,
    "assistant.silenceTimeoutSeconds is unknown": STILL_TAKEN,
    **dict.fromkeys((f"phoneNumber.{key} is unknown" for key in ("id", "orgId", "createdAt", "updatedAt")), ROW),
    "phoneNumber.status is unknown": ROW,
}
# A report says much twice: in its artifact, as the types have it, and beside it.
IN_REPORTS = dict.fromkeys(
    (
        f"{key} is unknown"
        for key in (
            "costBreakdown",
            "durationMinutes",
            "durationMs",
            "durationSeconds",
            "messages",
            "recordingUrl",
            "stereoRecordingUrl",
            "summary",
            "transcript",
        )
    ),
    AS_SENT,
)
IN_LEGACY_REPORTS = dict.fromkeys(
    (
        *(f"{key} is missing" for key in ("analysis", "artifact")),
        *(f"call.{key} is unknown" for key in ("recordingUrl", "summary", "transcript")),
        "phoneNumber.phoneNumber is unknown",
        "timestamp: str is no float",
        *(
            f"{key} is unknown"
            for key in (
                "logUrl",
                "messagesOpenAIFormatted",
                "nodes",
                "performanceMetrics",
                "presignedAssistantUrl",
                "presignedCustomerUrl",
                "presignedLogUrl",
                "presignedMonoUrl",
                "presignedStereoUrl",
                "presignedUrlsExpiresAt",
                "structuredData",
                "successEvaluation",
                "transfers",
                "variableValues",
            )
        ),
    ),
    LEGACY,
)
IN_CALLS = {
    "costBreakdown.voicemailDetectionCost is unknown": AS_SENT,
    "costBreakdown.knowledgeBaseCost is unknown": AS_SENT,
}
IN_ASSISTANTS = {"silenceTimeoutSeconds is unknown": STILL_TAKEN}
MESSAGES_WITHOUT_A_TYPE = {"assistant.started": "a client may ask for it, and the types do not describe it"}
FIELDS_TAKEN_BESIDES = dict.fromkeys(
    ("messagePlan", "serverUrl", "serverUrlSecret", "silenceTimeoutSeconds"), STILL_TAKEN
)
CALL_FIELDS_TAKEN_BESIDES = dict.fromkeys(("type", "maxDurationSeconds", "phoneCallProviderBypassEnabled"), STILL_TAKEN)
MODELS_TAKEN_BESIDES = dict.fromkeys(("azure-openai", "mistral", "baseten"), STILL_CALLED)
REFUSED = {
    "backoffPlan (BackoffPlan)": "the types call its kind an object; the service knows the words fixed and exponential"
}
