"""Schedules: what is done again and again, once for every due time."""

from windtunnel.control.schedule.model import Firing, Schedule, State
from windtunnel.control.schedule.scheduler import Ended, Notify, Scheduler, Verb, Verbs, firing_now
from windtunnel.control.schedule.table import Schedules, Wanted
from windtunnel.control.schedule.when import When, moment_text, read_when

__all__ = [
    "Ended", "Firing", "Notify", "Schedule", "Scheduler", "Schedules", "State", "Verb", "Verbs", "Wanted",
    "When", "firing_now", "moment_text", "read_when",
]  # fmt: skip
