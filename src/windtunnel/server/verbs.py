"""All verbs of the networked doors, in rooms."""

from __future__ import annotations

from dataclasses import dataclass

from windtunnel.control.schedule.apart import house_verbs
from windtunnel.server.contesting import Contesting
from windtunnel.server.deciding import Deciding
from windtunnel.server.evolving import Evolving
from windtunnel.server.ground import Ground
from windtunnel.server.idempotency import Once
from windtunnel.server.keeping import Keeping
from windtunnel.server.looking import Looking
from windtunnel.server.operating import Operating
from windtunnel.server.planning import Planning
from windtunnel.server.playing import Playing
from windtunnel.server.scheduled import QueuedRun
from windtunnel.server.steering import Steering
from windtunnel.server.strategies import Registering


@dataclass(frozen=True)
class Verbs:
    looking: Looking
    playing: Playing
    steering: Steering
    deciding: Deciding
    planning: Planning
    operating: Operating
    keeping: Keeping
    contesting: Contesting
    strategies: Registering
    evolving: Evolving


def all_verbs(ground: Ground) -> Verbs:
    looking = Looking(ground)
    steering = Steering(ground, looking)
    once = Once(ground.database)
    playing = Playing(ground, steering, once)
    contesting = Contesting(ground, steering, once)
    return Verbs(
        looking,
        playing,
        steering,
        Deciding(ground, steering),
        Planning(ground, {**house_verbs(ground.control), "run": QueuedRun(playing)}),
        Operating(ground),
        Keeping(ground),
        contesting,
        Registering(ground, contesting),
        Evolving(ground, steering, once),
    )
