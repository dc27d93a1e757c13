"""Rules: conditions -> actions, in the order a manager gave them. Pure data."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.classification import Priority
from app.domain.conditions import Condition


class Actions(BaseModel):
    """What a matching rule does. Setting a category decides the message; the other actions leave it open."""

    model_config = ConfigDict(extra="forbid")

    category: str | None = None
    priority: Priority | None = None
    tag: str | None = None
    ignore: bool = False
    review: bool = Field(False, description="A person decides, whatever anybody else says")

    @model_validator(mode="after")
    def _does_something(self):
        if not (self.category or self.priority or self.tag or self.ignore or self.review):
            raise ValueError("has no effect: set a category, a priority, a tag, ignore or review")
        if self.ignore and (self.category or self.review):
            raise ValueError("ignores the message, so it cannot set a category or ask for review as well")
        return self


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str
    when: Condition
    then: Actions
    go_on: bool = Field(False, alias="continue", description="Ask the rules below as well, although this one matched")
    enabled: bool = True
