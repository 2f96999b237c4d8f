"""Who said what: transcripts made from a fate, always the same for the same fate."""

import random
from dataclasses import dataclass
from typing import Any

GREETINGS = (
    "Hello, this is {assistant}. Am I speaking with {name}?",
    "Good day, {assistant} speaking. Is this {name}?",
    "Hi {name}, this is {assistant}. Do you have a minute?",
)
GOOD = (
    ("user", "Yes, speaking. What is this about?"),
    ("bot", "I am calling about {business}. Paperwork costs many firms of your size a day a month."),
    ("user", "Well, we do most of it ourselves on Sundays, to be honest. It takes for ever."),
    ("bot", "Most people tell me so. Would a free half-hour with one of our people be of use?"),
    ("user", "Maybe. What does it cost afterwards? I do not want to be talked into anything."),
    ("bot", "It costs nothing and obliges you to nothing. An offer comes in writing if you like it."),
    ("user", "Okay. Thursday in the morning would work, not before nine."),
    ("bot", "Thursday at half past nine, on this number. Should we prepare anything for you?"),
    ("user", "Just that we have two shops and one set of books. That is the whole trouble."),
    ("bot", "I have noted two shops and one set of books. Thank you, {name}. Have a great day."),
    ("user", "Thanks, you too. Bye."),
)
DECLINED = (
    ("user", "Yes. Who is calling, please?"),
    ("bot", "I am an automated assistant and call about {business}. It takes one minute."),
    ("user", "We are not interested, thank you."),
    ("bot", "I understand and will not take more of your time. Goodbye."),
)
LONG = (
    ("user", "Let me think about that for a moment, there is something else that I wanted to ask."),
    ("bot", "Of course, please go ahead. I will note everything for my colleagues."),
)
TRANSFER = (
    *GOOD[:4],
    ("user", "I would rather talk to a person about that, if you do not mind."),
    ("bot", "Gladly. Please hold the line, I am connecting you now."),
)
SILENCE = (("bot", "Hello? Is anybody there?"),)
BROKEN = (("user", "Hello? I can hardly hear you."),)
VOICEMAIL = ("user", "Hi, you have reached {name}. Please leave a message after the tone.")
SCRIPTS = {
    "good": GOOD,
    "declined": DECLINED,
    "transfer": TRANSFER,
    "silence": SILENCE,
    "broken": BROKEN,
    "long": GOOD[:6],
}
SECONDS_PER_WORD = 0.36
LONGEST_SCRIPT = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One utterance with its place in the call (seconds after pick-up)."""

    role: str
    text: str
    start: float
    length: float


def converse(script: str, dice_seed: int, *, seconds: float, names: dict[str, str]) -> list[Turn]:
    """Write the turns of a conversation that was cut off after so many seconds."""
    if not script:
        return []
    dice = random.Random(dice_seed)
    lines = [(role, text.format_map(names)) for role, text in _lines(script, dice)]
    turns, clock = [], 0.8
    pause = _pause(lines, seconds) if script in {"good", "long", "transfer"} else 0.4
    for role, text in lines:
        length = len(text.split()) * SECONDS_PER_WORD
        if clock >= seconds:
            break
        turns.append(Turn(role=role, text=text, start=clock, length=min(length, seconds - clock)))
        clock += length + pause
    return turns


def transcript(turns: list[Turn]) -> str:
    """Tell the conversation as one text."""
    return "".join(f"{'AI' if turn.role == 'bot' else 'User'}: {turn.text}\n" for turn in turns)


def as_messages(turns: list[Turn], *, prompt: str, started_ms: float, dice_seed: int) -> list[dict[str, Any]]:
    """Tell the conversation as message items; each word of a person carries the transcriber's confidence."""
    dice = random.Random(dice_seed)
    items: list[dict[str, Any]] = [
        {"role": "system", "message": prompt, "time": round(started_ms), "secondsFromStart": 0}
    ]
    for turn in turns:
        begin = started_ms + turn.start * 1000
        item: dict[str, Any] = {
            "role": turn.role,
            "message": turn.text,
            "time": round(begin),
            "endTime": round(begin + turn.length * 1000),
            "secondsFromStart": round(turn.start, 3),
            "duration": round(turn.length * 1000),
        }
        item |= (
            {"source": ""} if turn.role == "bot" else {"metadata": {"wordLevelConfidence": _words(turn, begin, dice)}}
        )
        items.append(item)
    return items


def as_openai(turns: list[Turn], *, prompt: str) -> list[dict[str, Any]]:
    """Tell the conversation in the shape of a language model's history."""
    history = [{"role": "assistant" if turn.role == "bot" else "user", "content": turn.text} for turn in turns]
    return [{"role": "system", "content": prompt}, *history]


def _lines(script: str, dice: random.Random) -> list[tuple[str, str]]:
    if script == "voicemail":
        return [VOICEMAIL] if dice.random() < 0.7 else []
    opening = [("bot", dice.choice(GREETINGS))]
    if script == "silence":
        return opening
    if script == "long":
        return [*opening, *SCRIPTS["long"], *(LONG * (LONGEST_SCRIPT // 2))]
    if script == "broken":
        return [*opening, *BROKEN][: dice.randint(0, 2)]
    return [*opening, *SCRIPTS[script]]


def _pause(lines: list[tuple[str, str]], seconds: float) -> float:
    """Spread a full conversation over the time that it took, within reason."""
    speaking = sum(len(text.split()) for _, text in lines) * SECONDS_PER_WORD
    return min(12.0, max(0.3, (seconds - speaking - 1) / len(lines)))


def _words(turn: Turn, begin_ms: float, dice: random.Random) -> list[dict[str, Any]]:
    words = turn.text.split()
    each = turn.length * 1000 / len(words)
    return [
        {
            "word": word.lower().strip(".,?!"),
            "start": round(begin_ms + index * each),
            "end": round(begin_ms + (index + 1) * each),
            "confidence": round(dice.uniform(0.82, 1.0), 4),
            "language": "en",
            "punctuated_word": word,
        }
        for index, word in enumerate(words)
    ]
