"""What a manager types to connect a monday.com board; choosing the board fills in its columns."""

from pydantic import Field, SecretStr, model_validator

from connectors.base import ConsentConfig
from connectors.monday_columns import KEY_COLUMN, TEXT_COLUMN

COLUMN_ID = "On the board open the column's menu, Settings, Copy column ID; chosen with the board"


class Config(ConsentConfig):
    token: SecretStr = Field(
        SecretStr(""),
        title="API token",
        description="In monday.com open your picture, Developers, API token, and press Show. It acts as you. Leave it "
        "empty to use Client ID and Client secret and press Connect",
    )
    board: str = Field(
        title="Board",
        pattern=r"^\d+$",
        description="Choose it from the list, or copy the number after /boards/ from its address",
    )
    key_column: str = Field(
        KEY_COLUMN,
        title="Column for the key",
        min_length=1,
        description=f"ID of a text column. {KEY_COLUMN} is added to the board by itself",
    )
    text_column: str = Field(
        TEXT_COLUMN,
        title="Column for the text",
        min_length=1,
        description=f"ID of a long text column. {TEXT_COLUMN} is added to the board by itself. What is longer than "
        "2,000 characters stands in the item's first update as well",
    )
    status_column: str = Field("", title="Status column", description=COLUMN_ID)
    open_label: str = Field("", title="Label of open items", description="When empty, open items have no label")
    done_label: str = Field("Done", title="Label of finished items", min_length=1, description="Of the status column")
    cancelled_label: str = Field(
        "", title="Label of cancelled items", description="When empty, cancelled items count as finished"
    )
    due_column: str = Field("", title="Date column", description=COLUMN_ID)
    people_column: str = Field("", title="People column", description=COLUMN_ID)
    priority_column: str = Field(
        "", title="Priority column", description="ID of a status column; it gets the labels Urgent, High, Medium, Low"
    )
    labels_column: str = Field(
        "", title="Labels column", description="ID of a dropdown column; labels it lacks are added to it"
    )
    signing_secret: SecretStr = Field(
        SecretStr(""),
        title="Signing secret",
        description="Only with Client ID and Client secret: of the same app, under Basic information. Leave it empty "
        "with an API token, whose webhooks are not signed",
    )
    hooks: str = Field("", title="Webhooks", description="Their ids, filled in by itself when the webhook is set")

    @model_validator(mode="after")
    def _has_one_kind_of_credentials(self) -> "Config":
        has_app = bool(self.client_id and self.client_secret.get_secret_value())
        if bool(self.token.get_secret_value()) == has_app:
            raise ValueError("Give either an API token, or Client ID and Client secret of your own monday.com app")
        return self
