"""The configuration workers keep between messages."""

import pytest

from app.db.engine import in_workspace
from app.services import configuration


def test_what_is_kept_outlives_the_transaction_that_read_it_even_when_that_is_rolled_back(workspace):
    with pytest.raises(RuntimeError), in_workspace(workspace) as session:
        read = configuration.current(workspace, session)
        raise RuntimeError

    assert configuration.current(workspace) is read
    assert read.workspace.name == "Acme Support"
