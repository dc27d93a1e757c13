"""A simulated colleague who answers part of what waits in Review, and leaves the rest to the visitor.

Decisions go through the service the Review page uses. He knows what the demo's customers meant; what a visitor wrote
himself is left alone. Once the local model may answer alone, he lowers the share of random checks.
"""

import threading
from uuid import UUID

from app.db import review as store
from app.db.engine import in_workspace
from app.domain.errors import OctopusError
from app.logs import log
from app.services import audit, demo, learning, members, releases, review_queue
from app.services.audit import Wanted
from app.services.members import Actor, Role
from demo.messages import by_text

EMAIL, NAME = "demo@colleague.octopus.local", "Demo colleague"
LEFT = 10  # unsure messages that are always left to the visitor, besides those in the visitor's hand
AT_ONCE, PAUSE_S = 8, 4.0
SECONDS = 4.0  # spent on each, as far as the figures go
FEWER_CHECKS = 0.1


class Colleague:
    def __init__(self, workspace_id: UUID):
        person = members.person(EMAIL)
        self.actor = Actor(person.id, EMAIL, Role.MANAGER, workspace_id)
        self._given_up: set[str] = set()  # decisions that failed, as a visitor was quicker or removed the category

    def work(self, stopping: threading.Event) -> None:
        while not stopping.wait(PAUSE_S):
            try:
                self.answer_some()
                self.check_less()
            except OctopusError as error:
                log.warning("colleague_failed", error=str(error), next_step="he tries again in a moment")

    def answer_some(self) -> int:
        """Random checks first, as they keep customers waiting for nothing; returns how many were decided."""
        with in_workspace(self.actor.workspace_id) as session:
            free = store.candidates(session, self.actor.workspace_id, self.actor.person_id)
            checks = [one.id for one in free if one.is_check]
            unsure = [one.id for one in free if not one.is_check]
            rows = store.items(session, [*checks, *unsure[: max(0, len(unsure) - LEFT)]], 0)
        ops = [
            {"op": "decide", "n": str(row.id), "id": str(row.id), "category": by_text()[row.text].category,
             "seconds": SECONDS, "corrects": row.suggestion}
            for row in rows if row.text in by_text() and str(row.id) not in self._given_up
        ][:AT_ONCE]  # fmt: skip
        failed = [outcome for outcome in review_queue.apply(self.actor, ops) if outcome.error]
        self._given_up |= {outcome.n for outcome in failed}
        return len(ops) - len(failed)

    def check_less(self) -> None:
        workspace_id = self.actor.workspace_id
        settings = learning.settings(workspace_id, live=True)
        if settings.audit_share <= FEWER_CHECKS or not demo.answers_alone(workspace_id):
            return
        if audit.entries(workspace_id, Wanted(actor=EMAIL, noun="learning")):
            return  # a visitor set it otherwise afterwards
        if releases.draft(workspace_id) is None:  # a visitor's own changes are for the visitor to publish
            learning.save_settings(self.actor, settings.model_copy(update={"audit_share": FEWER_CHECKS}))
            releases.publish(self.actor, "Fewer random checks, as the local model proved good enough")
