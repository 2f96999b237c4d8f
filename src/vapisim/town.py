"""What the account owns when the simulator starts: phone numbers and assistants with fixed ids.

The Twilio rows carry (invented) Twilio keys because the real service sends them too: a careful client
strips them before it stores or shows a row.
"""

from typing import Any

ORG_ID = "5a1b0000-0000-4000-8000-000000000001"
TWILIO_MAIN = "b0000000-0000-4000-8000-000000000001"
TWILIO_SECOND = "b0000000-0000-4000-8000-000000000002"
TWILIO_THIRD = "b0000000-0000-4000-8000-000000000003"
VAPI_FREE = "b0000000-0000-4000-8000-000000000004"
TWILIO_BLOCKED = "b0000000-0000-4000-8000-000000000005"
ASSISTANT_SALES = "a0000000-0000-4000-8000-000000000001"
ASSISTANT_SURVEY = "a0000000-0000-4000-8000-000000000002"
ASSISTANT_REMINDER = "a0000000-0000-4000-8000-000000000003"

OPENED = "2026-01-05T09:00:00.000Z"
ACCOUNT_SID = "AC5111111111111111111111111111aaaa"


def phone_numbers() -> dict[str, dict[str, Any]]:
    """Make a fresh copy of the account's numbers by id."""
    rows = (
        _twilio(TWILIO_MAIN, "+12025550150", "Main line", "active"),
        _twilio(TWILIO_SECOND, "+13125550151", "Second line", "active"),
        _twilio(TWILIO_THIRD, "+14155550152", "Third line", "active"),
        {
            **_number(VAPI_FREE, "+16465550153", "Free Vapi number", "active"),
            "provider": "vapi",
            "sipUri": f"sip:{VAPI_FREE}@sip.vapi.example",
        },
        _twilio(TWILIO_BLOCKED, "+17025550154", "Blocked line", "blocked"),
    )
    return {row["id"]: row for row in rows}


def assistants() -> dict[str, dict[str, Any]]:
    """Make a fresh copy of the account's assistants by id."""
    rows = (
        _assistant(ASSISTANT_SALES, "Riley - short pitch", "PassFail", SALES_PROMPT),
        _assistant(ASSISTANT_SURVEY, "Morgan - survey", "DescriptiveScale", SURVEY_PROMPT),
        _assistant(ASSISTANT_REMINDER, "Casey - reminder", "NumericScale", REMINDER_PROMPT),
    )
    return {row["id"]: row for row in rows}


def _number(phone_number_id: str, number: str, name: str, status: str) -> dict[str, Any]:
    return {
        "id": phone_number_id,
        "orgId": ORG_ID,
        "number": number,
        "createdAt": OPENED,
        "updatedAt": OPENED,
        "name": name,
        "status": status,
    }


def _twilio(phone_number_id: str, number: str, name: str, status: str) -> dict[str, Any]:
    return {
        **_number(phone_number_id, number, name, status),
        "provider": "twilio",
        "twilioAccountSid": ACCOUNT_SID,
        "twilioAuthToken": "invented-twilio-auth-token",
        "smsEnabled": True,
    }


def _assistant(assistant_id: str, name: str, rubric: str, prompt: str) -> dict[str, Any]:
    return {
        "id": assistant_id,
        "orgId": ORG_ID,
        "createdAt": OPENED,
        "updatedAt": OPENED,
        "latestVersion": "v1",
        "name": name,
        "firstMessage": "Hello, this is a recorded line. Am I speaking with {{name}}?",
        "model": {
            "provider": "openai",
            "model": "gpt-4o",
            "temperature": 0.4,
            "messages": [{"role": "system", "content": prompt + HOUSE_RULES}],
        },
        "voice": {"provider": "vapi", "voiceId": "Elliot"},
        "transcriber": {"provider": "deepgram", "model": "nova-3", "language": "en"},
        "voicemailMessage": "Sorry that we missed you. We will try again another day.",
        "endCallMessage": "Thank you for your time. Goodbye.",
        "endCallPhrases": ["goodbye now", "have a great day"],
        "maxDurationSeconds": 600,
        "silenceTimeoutSeconds": 30,
        "backgroundSound": "office",
        "voicemailDetection": {
            "provider": "vapi",
            "backoffPlan": {"startAtSeconds": 5, "frequencySeconds": 5, "maxRetries": 6},
            "beepMaxAwaitSeconds": 0,
        },
        "analysisPlan": {
            "summaryPlan": {"enabled": True},
            "successEvaluationPlan": {"enabled": True, "rubric": rubric},
            "structuredDataPlan": {"enabled": True, "schema": {"type": "object", "properties": {}}},
        },
        "serverMessages": ["status-update", "end-of-call-report"],
    }


SALES_PROMPT = (
    "[Identity]\nYou are Riley, who calls small businesses about a bookkeeping service.\n"
    "[Task]\n1. Make sure that you speak with {{name}} of {{business_name}}.\n2. Ask who keeps their books.\n"
    "3. Offer a free half-hour with a bookkeeper.\n4. Agree on a day, or say goodbye politely.\n"
)
SURVEY_PROMPT = (
    "[Identity]\nYou are Morgan, who asks customers of {{business_name}} how their last visit went.\n"
    "[Task]\n1. Ask for a mark from zero to ten.\n2. Ask what could be better.\n3. Thank them.\n"
)
REMINDER_PROMPT = (
    "[Identity]\nYou are Casey, who reminds {{name}} of an appointment.\n"
    "[Task]\n1. Say day and time.\n2. Ask whether it still suits.\n3. Offer another day if it does not.\n"
)
HOUSE_RULES = (
    "[Style]\nWarm, brief, one question at a time. Numbers as words. No more than two sentences in a row.\n"
    "[If nobody speaks]\nAsk once whether somebody is there, wait ten seconds, then say goodbye.\n"
    "[If it is a machine]\nLeave the voicemail message and hang up.\n"
    "[If they ask who you are]\nSay at once that you are an automated assistant and for whom you call.\n"
    "[If they do not want to be called]\nApologise, say that they will not be called again, end the call.\n"
    "[Never]\nNever promise prices, never give legal or tax advice, never argue, never call back yourself.\n"
)
