"""What an operator can set, from the environment. `.env.example` documents each name."""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OCTOPUS_", env_ignore_empty=True)

    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    database_owner_url: str | None = Field(None, validation_alias="DATABASE_OWNER_URL")
    redis_url: str | None = Field(None, validation_alias="REDIS_URL")
    data_dir: Path = Path(".octopus")
    secret_key: SecretStr | None = None
    ui_port: int = 8501
    receiver_host: str = "127.0.0.1"
    receiver_port: int = 8000
    api_port: int = 8600
    public_url: str | None = None
    workers: int = Field(2, ge=1, le=64)
    threads: int = Field(96, ge=1, le=512, description="Vendor calls under way at once, per worker process")
    allow_private_hosts: bool = False
    log_level: str = "INFO"
    demo: bool = False
    demo_port: int = 8700

    @property
    def owner_url(self) -> str | None:
        """Who migrates: the tables' owner, where the app itself connects as a plain role."""
        return self.database_owner_url or self.database_url

    @property
    def hooks_url(self) -> str:
        """Where chat services reach the receiver, without a trailing slash."""
        return (self.public_url or f"http://127.0.0.1:{self.receiver_port}").rstrip("/")

    @property
    def demo_url(self) -> str | None:
        """Where the simulated vendors of a demo are, without a trailing slash."""
        return f"http://127.0.0.1:{self.demo_port}" if self.demo else None

    @property
    def api_url(self) -> str:
        """Where programs reach the REST API, without a trailing slash."""
        return (self.public_url or f"http://127.0.0.1:{self.api_port}").rstrip("/")

    @property
    def app_url(self) -> str:
        """Where people reach the app, without a trailing slash."""
        return (self.public_url or f"http://127.0.0.1:{self.ui_port}").rstrip("/")


@cache
def settings() -> Settings:
    return Settings()
