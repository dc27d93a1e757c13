"""The last tier before a person: the LLM accounts, in the manager's order. Each stands in for those before it when
they fail; one marked so is also asked for a second opinion when those before it are unsure.

Circuits and limits live elsewhere; they are asked through `gate` and told through `report`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

from app.classify import llm
from app.classify.answer import Answer
from app.classify.opinion import Opinion
from app.classify.prompt import Prompt
from app.domain.classification import Source, Step
from app.domain.errors import RemoteError, TransientError

# gate(account key): None, or why the account is not to be called now (open circuit, dead key).
Gate = Callable[[str], RemoteError | None]
# report(account key, error or None): how a call ended.
Report = Callable[[str, RemoteError | None], None]
# As `ask_in_order`.
Ask = Callable[[str, Prompt, Sequence[llm.Account], float, Gate, Report], Opinion]

NO_ACCOUNT = (
    "No rule decided and no LLM account is set up or switched on. Decide this message here, "
    "and add an LLM account or a rule so that the next ones are classified."
)


def always_open(account_key: str) -> None:
    return None


def unheard(account_key: str, error: RemoteError | None) -> None:
    return None


def ask_in_order(
    text: str, prompt: Prompt, accounts: Sequence[llm.Account], bar: float, gate: Gate, report: Report
) -> Opinion:
    """Ask until one is sure. An answer that is not goes to those marked for a second opinion, else to a person.

    bar: the least confidence (0..1) at which an answer stands without a person.
    Raises TransientError when nobody answered and waiting may help.
    """
    if not accounts:
        return Opinion(Source.LLM, (), unsure_because=NO_ACCOUNT)
    steps: list[Step] = []
    errors: list[RemoteError] = []
    unsure: Opinion | None = None
    for account in accounts:
        if unsure and not account.second_opinion:
            continue
        refusal = gate(account.key)
        if refusal is not None:
            errors.append(refusal)
            steps.append(_failed(account, refusal, 0.0))
            continue
        started = perf_counter()
        try:
            answer = llm.ask(account, prompt, text)
        except RemoteError as error:
            report(account.key, error)
            errors.append(error)
            steps.append(_failed(account, error, (perf_counter() - started) * 1000))
            continue
        report(account.key, None)
        steps.append(_answered(account, answer))
        opinion = _opinion(answer, tuple(steps), bar, unsure)
        if opinion.category is not None:
            return opinion
        unsure = opinion
    if unsure:
        return replace(unsure, steps=tuple(steps))
    return _nobody_answered(errors, tuple(steps))


def _opinion(answer: Answer, steps: tuple[Step, ...], bar: float, before: Opinion | None) -> Opinion:
    """before: an unsure one's, whose tokens count as well."""
    unsure = answer.problem
    if not unsure and answer.confidence < bar:
        unsure = f"The model is only {answer.confidence:.0%} sure of '{answer.category}', and {bar:.0%} are asked for."
    return Opinion(
        Source.LLM, steps,
        category=None if unsure else answer.category,
        confidence=answer.confidence,
        unsure_because=unsure,
        priority=answer.priority,
        sentiment=answer.sentiment,
        language=answer.language,
        title=answer.title,
        reason=answer.reason,
        input_tokens=answer.input_tokens + (before.input_tokens if before else 0),
        output_tokens=answer.output_tokens + (before.output_tokens if before else 0),
        none_fits=answer.none_fits,
    )  # fmt: skip


def _nobody_answered(errors: list[RemoteError], steps: tuple[Step, ...]) -> Opinion:
    """Raises TransientError when waiting may help; else a person decides and reads what to repair."""
    said = " ".join(str(error) for error in errors)
    passing = [error for error in errors if isinstance(error, TransientError)]
    if passing:
        waits = [error.retry_after_s for error in passing if error.retry_after_s is not None]
        raise TransientError(said, min(waits) if waits else None)
    why = f"No LLM account can answer: {said} Decide this message here and repair the account under LLM accounts."
    return Opinion(Source.LLM, steps, unsure_because=why)


def _answered(account: llm.Account, answer: Answer) -> Step:
    detail = {
        "account": account.key, "model": account.model, "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens, "cached_tokens": answer.cached_tokens,
        "priority": answer.priority, "sentiment": answer.sentiment,
    }  # fmt: skip
    reason = answer.problem or answer.reason
    return Step(Source.LLM, answer.category, answer.confidence, reason, answer.took_ms, answer.cost_usd, detail)


def _failed(account: llm.Account, error: RemoteError, took_ms: float) -> Step:
    detail = {"account": account.key, "model": account.model, "error": type(error).__name__}
    return Step(Source.LLM, None, None, str(error), took_ms, 0.0, detail)
