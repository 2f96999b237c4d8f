"""What the form of an assistant offers. The provider takes more: the fields can be typed into."""

from typing import Any

MODEL_PROVIDERS = (
    "openai anthropic google groq together-ai azure-openai mistral deep-seek xai openrouter perplexity-ai custom-llm "
    "vapi"
).split()
VOICE_PROVIDERS = "vapi 11labs openai cartesia deepgram azure playht rime-ai hume lmnt minimax custom-voice".split()
DETECTIONS = {
    "": "The provider's default (off)",
    "off": "Off",
    "vapi": "Vapi",
    "google": "Google",
    "openai": "OpenAI",
    "twilio": "Twilio",
}
RUBRICS = {
    "": "Not judged by a rubric of ours",
    "PassFail": "Pass or fail",
    "NumericScale": "A number from 1 to 10",
    "PercentageScale": "Per cent",
    "LikertScale": "Agreement, from strongly disagree to strongly agree",
    "DescriptiveScale": "Excellent, good, fair or poor",
    "Checklist": "A checklist",
    "Matrix": "A matrix of criteria",
    "AutomaticRubric": "The provider decides",
}
# What a new assistant begins with.
BLANK: dict[str, Any] = {
    "firstMessage": "Hello {{name}}, I am an AI assistant. Do you have a moment?",
    "model": {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "temperature": 0.4,
        "maxTokens": 200,
        "messages": [
            {
                "role": "system",
                "content": "You are an AI voice assistant on a phone call that we placed. You speak with {{name}} of "
                "{{business_name}}.\nSay one or two short sentences at a time, then listen. If you are asked, say that "
                "you are an AI assistant. If somebody does not want to be called, apologise and end the call.\n\n"
                "Your task\n",
            }
        ],
        "tools": [{"type": "endCall"}],
    },
    "voice": {"provider": "vapi", "voiceId": "Elliot"},
    "transcriber": {"provider": "deepgram", "model": "nova-3", "language": "en"},
    "voicemailDetection": {"provider": "vapi"},
    "endCallPhrases": ["goodbye", "have a good day"],
    "maxDurationSeconds": 300,
    "silenceTimeoutSeconds": 20,
    "backgroundSound": "off",
}
