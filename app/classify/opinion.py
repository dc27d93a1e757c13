"""What a tier between the rules and a person says about a message. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.classification import Priority, Sentiment, Source, Step
from app.domain.conditions import Facts


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one tier thinks of a message. `category` None: it is not sure, `unsure_because` says why.

    steps: one for each thing asked, failures included; the costs are theirs. confidence: 0..1.
    """

    source: Source
    steps: tuple[Step, ...]
    category: str | None = None
    confidence: float | None = None
    unsure_because: str = ""
    priority: Priority | None = None
    sentiment: Sentiment | None = None
    language: str | None = None
    title: str = ""
    reason: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    none_fits: bool = False


Tier = Callable[[str, Facts], Opinion]
