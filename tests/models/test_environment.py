"""`.env.example` lists every variable that is read, and names nothing that is not."""

import re
import tomllib
from pathlib import Path

from windtunnel.config import read_settings
from windtunnel.models import settings, tracing
from windtunnel.models.gateway import Gateway

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_lists_every_variable():
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = {settings.OFFLINE, tracing.CONTENT, *tracing.ASKED_BY}
    for provider in settings.PROVIDERS.values():
        read |= {provider.key, provider.url}
    for _, _, model, _, needed in settings.FROM_ENVIRONMENT:
        read |= {model, needed}
    assert read <= listed
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py")) + (ROOT / "dev").read_text()
    assert {name for name in listed if name not in source} <= {"OTEL_EXPORTER_OTLP_HEADERS"}


def test_the_defaults_it_shows_are_the_defaults():
    shown = dict(re.findall(r"^([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    for _, prefix, variable, model, _ in settings.FROM_ENVIRONMENT:
        assert shown.get(variable, "") == model
        assert shown[settings.PROVIDERS[prefix].url] == settings.PROVIDERS[prefix].address


def test_the_settings_of_the_readme_are_read_and_its_table_is_the_built_in_one(tmp_path):
    readme = (ROOT / "src/windtunnel/models/README.md").read_text()
    text = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)[0]
    assert tomllib.loads(text)
    file = tmp_path / "windtunnel.toml"
    file.write_text(text)
    found = read_settings(file).models
    assert found.routes["default"].choose == settings.DEFAULT.choose
    assert found.routes["default"].chain == settings.DEFAULT.chain
    assert found.routes["default"].on == settings.DEFAULT.on
    gateway = Gateway(found, environ={})
    assert [one.name for one in gateway.health()] == ["fast"]
