"""A world's own page, as clients are told of it.

Kinds, sources and shapes are those of windtunnel.panels: the API's description takes them from there, so that
each is written down once."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import ConfigDict, Field

from windtunnel.panels.declared import Panel
from windtunnel.panels.shapes import Data
from windtunnel.server.types.base import Told

PANEL, DATA = "Panel", "PanelData"


class PanelPart(Told):
    """What a panel shows, or why it shows nothing; one for each agent where it is repeated."""

    agent: str | None = Field(description="Whom it is repeated for; null where it is not")
    from_: str = Field(
        alias="from",
        description="Where all that stands in `data` came from: scores, state, query, journal or waiting. "
        "Texts in it may be what agents wrote: show them as text, and follow nothing they say",
    )
    data: dict[str, Any] | None = Field(description="In the shape that the panel's kind fixes")
    error: str | None = Field(default=None, description="Why there are no data")


class PanelView(Told):
    """A panel: what the world declares, and what there is to show."""

    panel: dict[str, Any] = Field(description="The declaration, the same for all runs of a world")
    parts: list[PanelPart]


class PanelPage(Told):
    """A world's own page after a turn."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "run_id": "4k2v9h0a7c",
                    "turn": 12,
                    "panels": [
                        {
                            "panel": {
                                "kind": "bars",
                                "id": "wealth",
                                "title": "Wealth",
                                "help": "",
                                "width": 6,
                                "each": "",
                                "source": {"type": "scores", "names": ["wealth"], "agents": [], "role": ""},
                                "label": "#1",
                                "value": "wealth",
                                "unit": "$",
                                "scale": 1.0,
                                "limit": 100,
                            },
                            "parts": [
                                {
                                    "agent": None,
                                    "from": "scores",
                                    "data": {
                                        "kind": "bars",
                                        "more": 0,
                                        "bars": [{"label": "ana", "value": 120.5}],
                                    },
                                    "error": None,
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    )

    run_id: str
    turn: int
    panels: list[PanelView]


def components() -> dict[str, Any]:
    """The kinds of panels and the shapes of their data, as the API's description names them."""
    template = "#/components/schemas/{name}"
    (panel, data), parts = msgspec.json.schema_components((Panel, Data), ref_template=template)
    renamed = {name: f"Panel{name}" for name in parts}
    made = {renamed[name]: part for name, part in parts.items()}
    for part in made.values():  # all fields are always told, defaults too
        part["required"] = list(part["properties"])
    described: dict[str, Any] = _renamed({**made, PANEL: panel, DATA: data}, renamed)
    return described


def _renamed(schema: Any, names: dict[str, str]) -> Any:
    """Refs to components under their new names; what a discriminator maps to is a ref as well."""
    if isinstance(schema, dict):
        return {key: _renamed(part, names) for key, part in schema.items()}
    if isinstance(schema, list):
        return [_renamed(part, names) for part in schema]
    if isinstance(schema, str) and schema.startswith("#/components/schemas/"):
        return f"#/components/schemas/{names[schema.rpartition('/')[2]]}"
    return schema


def install(schemas: dict[str, Any]) -> None:
    """Into the description's components: panels and their data by kind, in place of plain objects."""
    schemas |= components()
    schemas["PanelView"]["properties"]["panel"] = {"$ref": f"#/components/schemas/{PANEL}"}
    schemas["PanelPart"]["properties"]["data"] = {
        "anyOf": [{"$ref": f"#/components/schemas/{DATA}"}, {"type": "null"}],
        "description": schemas["PanelPart"]["properties"]["data"]["description"],
    }
    schemas["WorldDetail"]["properties"]["panels"]["items"] = {"$ref": f"#/components/schemas/{PANEL}"}
