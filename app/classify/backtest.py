"""Two states of a configuration on the same past messages: what each would have made of them. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.classify import accounts as llm_accounts
from app.classify import llm
from app.classify.calibration import Interval, weighed_share
from app.classify.opinion import Opinion
from app.classify.prompt import Prompt
from app.domain.classification import Priority, Sentiment, Source, Step
from app.domain.lifecycle import MessageStatus

NOT_SURE = "The language model was not sure enough."
NEVER_ASKED = "No language model was asked about this message yet."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a message. destinations: keys, in order, of those that would get a task first.

    known: False where a language model would be asked that has not answered this question yet.
    """

    category: str | None
    priority: Priority
    status: MessageStatus
    destinations: tuple[str, ...] = ()
    asks_llm: bool = False
    cost_usd: float = 0.0
    known: bool = True

    @property
    def alone(self) -> bool:
        """Without a person."""
        return self.status in (MessageStatus.ROUTED, MessageStatus.IGNORED)

    def same_as(self, other: "Outcome") -> bool:
        return self._seen() == other._seen()

    def _seen(self) -> tuple:
        return (self.category, self.priority, self.status, self.destinations)


@dataclass(frozen=True, slots=True)
class Checked:
    """A person's decision. category None: nothing to do. stands_for: how many messages of the traffic."""

    category: str | None
    stands_for: float


@dataclass(frozen=True, slots=True)
class Played:
    """One past message under both configurations."""

    message_id: UUID
    text: str
    before: Outcome
    after: Outcome
    checked: Checked | None = None

    @property
    def known(self) -> bool:
        return self.before.known and self.after.known

    @property
    def changed(self) -> bool:
        return self.known and not self.before.same_as(self.after)


@dataclass(frozen=True, slots=True)
class Side:
    """One configuration's figures. alone: share of the messages no person would see.

    accuracy, by_category: of what it would have decided alone, as persons saw these messages. tasks: by destination.
    """

    alone: float
    accuracy: Interval
    by_category: dict[str, Interval]
    usd_per_1000: float
    tasks: Counter[str]


@dataclass(frozen=True, slots=True)
class Report:
    """messages: both outcomes are known. unknown: a language model would have to be asked first, which costs about
    `usd_to_know`. moved: tasks by (destination before, destination after); empty: no task.
    """

    messages: int
    unknown: int
    usd_to_know: float
    changed: list[Played]
    before: Side
    after: Side
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)


def compare(played: Sequence[Played]) -> Report:
    """Figures speak of the messages whose two outcomes are known. changed: in the order given."""
    known = [one for one in played if one.known]
    unknown = [one for one in played if not one.known]
    asked = [side.cost_usd for one in known for side in (one.before, one.after) if side.asks_llm]
    usd_a_question = sum(asked) / len(asked) if asked else 0.0
    questions = sum(not side.known for one in unknown for side in (one.before, one.after))
    changed = [one for one in known if one.changed]
    return Report(
        len(known), len(unknown), questions * usd_a_question, changed,
        _side(known, lambda one: one.before), _side(known, lambda one: one.after), _moved(changed),
    )  # fmt: skip


def _side(played: Sequence[Played], of: Callable[[Played], Outcome]) -> Side:
    count = max(1, len(played))
    outcomes = [of(one) for one in played]
    judged = [(of(one), one.checked) for one in played if one.checked and of(one).alone]
    keys = sorted({checked.category for _, checked in judged} - {None})
    return Side(
        alone=sum(one.alone for one in outcomes) / count,
        accuracy=_accuracy(judged),
        by_category={key: _accuracy([pair for pair in judged if pair[1].category == key]) for key in keys},
        usd_per_1000=1000 * sum(one.cost_usd for one in outcomes) / count,
        tasks=Counter(key for one in outcomes for key in one.destinations),
    )


def _accuracy(judged: Sequence[tuple[Outcome, Checked]]) -> Interval:
    right = [outcome.category == checked.category for outcome, checked in judged]
    return weighed_share(right, [checked.stands_for for _, checked in judged])


def _moved(changed: Sequence[Played]) -> Counter[tuple[str, str]]:
    """What stays is left out; what leaves one destination is paired with what comes to another, in order."""
    moved: Counter[tuple[str, str]] = Counter()
    for one in changed:
        left = [key for key in one.before.destinations if key not in one.after.destinations]
        came = [key for key in one.after.destinations if key not in one.before.destinations]
        for place in range(max(len(left), len(came))):
            moved[left[place] if place < len(left) else "", came[place] if place < len(came) else ""] += 1
    return moved


# ---- what language models said before


class Recorded:
    """Repeats, instead of asking, what language models said about one message. A cascade's `ask`.

    steps: theirs of the message's classification, as stored. `asked` and `missing` tell, after the call, whether it
    came to this, and whether an answer is missing that production would have asked for.
    """

    def __init__(self, steps: Sequence[dict]) -> None:
        self._answers = [step for step in steps if not step["detail"].get("error")]
        self.asked = self.missing = False

    def __call__(
        self,
        text: str,
        prompt: Prompt,
        accounts: Sequence[llm.Account],
        bar: float,
        gate: llm_accounts.Gate,
        report: llm_accounts.Report,
    ) -> Opinion:
        self.asked = True
        passed: list[Step] = []
        opinion = Opinion(Source.LLM, (), unsure_because=NEVER_ASKED)
        for answer in self._answers:
            passed.append(_step(answer))
            sure = bool(answer["answer"]) and (answer["confidence"] or 0.0) >= bar
            opinion = _opinion(answer, tuple(passed), sure)
            if sure:
                return opinion
        heard = {answer["detail"].get("account") for answer in self._answers}
        others = [account for account in accounts if account.second_opinion and account.key not in heard]
        self.missing = not self._answers or bool(others)
        return opinion


def _step(stored: dict) -> Step:
    return Step(
        Source.LLM, stored["answer"], stored["confidence"], stored["reason"], stored["took_ms"], stored["cost_usd"],
        stored["detail"],
    )  # fmt: skip


def _opinion(answer: dict, steps: tuple[Step, ...], sure: bool) -> Opinion:
    priority, sentiment = answer["detail"].get("priority"), answer["detail"].get("sentiment")
    return Opinion(
        Source.LLM, steps, answer["answer"] if sure else None, answer["confidence"], "" if sure else NOT_SURE,
        priority=Priority(priority) if priority else None, sentiment=Sentiment(sentiment) if sentiment else None,
        reason=answer["reason"],
    )  # fmt: skip
