"""From the body of POST /call to orders: validated, with every resource looked up."""

from typing import Any

from vapisim import dto
from vapisim.calls import Order
from vapisim.limits import DailyDials
from vapisim.refusals import Refused
from vapisim.state import State
from vapisim.validation import violations
from vapisim.wire import effective_assistant

INVALID_KEY = "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa."
DAILY_LIMIT = (
    "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit. "
    "Import Your Own Twilio Numbers To Scale Without Limits."
)
INTERNATIONAL = (
    "Couldn't Start Call. Free Vapi Numbers Do Not Support International Calls. "
    "Import Your Own Twilio Numbers To Call Other Countries."
)
NO_CREDIT = (
    "Couldn't Start Call. Insufficient Credits: Wallet Balance Is -0.03. Purchase More Credits Or Upgrade Your Plan."
)
DEFAULT_MAX_DURATION_SECONDS = 600.0
WHO_SPEAKS = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow")


def read_orders(state: State, body: Any) -> list[Order]:
    """Every order in a body; refuses the whole request when it is malformed."""
    faults = state.standing_faults
    problems = violations(dto.CALL_WITH_METADATA if faults.accept_top_level_metadata else dto.CALL, body)
    problems += _contradictions(body) if isinstance(body, dict) else []
    if problems:
        raise Refused(400, problems, "validation")
    if faults.no_credit:
        raise Refused(400, NO_CREDIT, "no-credit")
    _look_up(state, body)
    customers = body["customers"] if body.get("customers") is not None else [body["customer"]]
    return [_order(state, body, customer) for customer in customers]


def check_number(state: State, daily: DailyDials, order: Order) -> None:
    """Refuse what the calling number may not do (today)."""
    row = state.phone_number(order.phone_number_id) or {}
    faults = state.standing_faults
    is_free = row.get("provider") == "vapi"
    if is_free and not order.number.startswith("+1"):
        raise Refused(400, INTERNATIONAL, "international")
    limit = faults.daily_limits.get(order.phone_number_id, faults.free_number_daily_limit if is_free else None)
    if limit is not None and daily.today(order.phone_number_id) >= limit:
        raise Refused(400, DAILY_LIMIT, "daily-limit")


def _contradictions(body: dict[str, Any]) -> list[str]:
    problems = []
    if not any(body.get(key) is not None for key in WHO_SPEAKS):
        problems.append("Need Either `assistantId`, `assistant`, `squadId`, `squad`, `workflowId` Or `workflow`.")
    if body.get("customer") is not None and body.get("customers") is not None:
        problems.append("Only one of `customer` and `customers` can be provided.")
    named = body.get("customers") if body.get("customers") is not None else [body.get("customer")]
    customers = named if isinstance(named, list) else []
    if not customers or not all(
        isinstance(each, dict) and (each.get("number") or each.get("sipUri")) for each in customers
    ):
        problems.append("Need Either `customer.number` Or `customer.sipUri`.")
    if body.get("phoneNumberId") is None and body.get("phoneNumber") is None:
        problems.append("Need Either `phoneNumberId` Or `phoneNumber`.")
    return problems


def _look_up(state: State, body: dict[str, Any]) -> None:
    assistant_id, phone_number_id = body.get("assistantId"), body.get("phoneNumberId")
    if assistant_id is not None and assistant_id not in state.assistants:
        raise Refused(400, f"Couldn't Get Assistant. `assistantId` {assistant_id} Does Not Exist.", "unknown-assistant")
    if phone_number_id is None:
        return
    row = state.phone_number(phone_number_id)
    if row is None:
        message = f"Couldn't Get Phone Number. `phoneNumberId` {phone_number_id} Does Not Exist."
        raise Refused(400, message, "unknown-phone-number")
    if row["status"] != "active":
        message = f"Couldn't Start Call. Phone Number {phone_number_id} Is Not Active (Status: {row['status']})."
        raise Refused(400, message, f"number-{row['status']}")


def _order(state: State, body: dict[str, Any], customer: dict[str, Any]) -> Order:
    """Make one order; overrides of a customer replace those of the request as a whole."""
    overrides = customer.get("assistantOverrides") or body.get("assistantOverrides") or {}
    assistant = effective_assistant(state, body.get("assistantId"), body.get("assistant"), overrides)
    seconds = assistant.get("maxDurationSeconds") or body.get("maxDurationSeconds") or DEFAULT_MAX_DURATION_SECONDS
    return Order(
        number=str(customer.get("number") or customer.get("sipUri")),
        customer=customer,
        name=body.get("name"),
        phone_number_id=body.get("phoneNumberId") or "transient",
        assistant_id=body.get("assistantId"),
        assistant=body.get("assistant"),
        overrides=overrides,
        schedule_plan=body.get("schedulePlan"),
        max_duration_seconds=float(seconds),
    )
