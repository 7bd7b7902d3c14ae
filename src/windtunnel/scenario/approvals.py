"""`approvals:` of a scenario: the policy that says which actions wait for people, read and made whole.

A policy is a list of rules, the first that fits decides. It may stand in the scenario, in a file of its own
beside it, or be a profile by name; it may extend another one, whose rules then come after its own. What is
recorded with a run is the whole list: a profile that changes later changes no run.

Refused by name: a rule that lets an action of high or critical risk pass, or be decided by one person; a rule
whose words say nothing (an expiry of what never waits, a type that the world does not have).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from windtunnel.errors import ScenarioError
from windtunnel.scenario.checking import check, keys_of
from windtunnel.scenario.policy import GRAVE, MAX_RULES, PolicyFile, PolicyRule, fits_type
from windtunnel.scenario.reading import Node, Place, node_of, read_text, read_yaml
from windtunnel.words import suggest
from windtunnel.world import World

PROFILES = Path(__file__).parent.parent / "safety" / "profiles"
MAX_BYTES = 1 << 20
DEEPEST = 8  # policies that extend each other
OWN = "own"  # the name of a policy that stands in its scenario


def profiles() -> list[str]:
    """The policies that come with Windtunnel."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def policy_of(
    node: Node, folder: Path | None = None, world: World | None = None, field: str = "approvals"
) -> dict[str, Any] | None:
    """The whole policy that a scenario means, as plain values; None where it means none. With a world, its
    rules are held against the world's actions too."""
    if node.value is None or node.value in ("", {}):
        return None
    chain = _chain(node, folder or Path(), field)
    for part, where, _ in chain:
        _check_rules(part, where, world)
    read = [msgspec.convert(part.plain(), PolicyFile) for part, _, _ in chain]
    rules = [_filled(rule, read) for policy in read for rule in policy.rules]
    if len(rules) > MAX_RULES:
        raise node.place.error(f"{field}: more than {MAX_RULES} rules", "a policy is shorter", field)
    name = read[0].name or chain[0][2]
    plain: dict[str, Any] = _listed(msgspec.to_builtins(PolicyFile(tuple(rules), name)))
    return plain


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _chain(node: Node, folder: Path, field: str) -> list[tuple[Node, str, str]]:
    """The policy and those that it extends, each with the field it stands in and the name it goes by."""
    chain: list[tuple[Node, str, str]] = []
    name = OWN
    while True:
        if isinstance(node.value, str):
            node, folder, name = _named(node, folder, field)
            field = ""
        check(node, PolicyFile, field)
        chain.append((node, field, name))
        if not (following := node.value.get("extends")) or not following[1].value:
            return chain
        if len(chain) >= DEEPEST:
            raise following[1].place.error(
                f"more than {DEEPEST} policies extend each other, or one extends itself",
                "let it end at a profile",
                f"{field}.extends",
            )
        node, field = following[1], f"{field}.extends".lstrip(".")


def _named(node: Node, folder: Path, field: str) -> tuple[Node, Path, str]:
    """The policy of a file, or a profile, by what the scenario calls it."""
    text: str = node.value
    if text.endswith((".yaml", ".yml")):
        path = folder / text
    elif text in (known := profiles()):
        path = PROFILES / f"{text}.yaml"
    else:
        remedy = suggest(text, known)
        if not remedy.startswith("did"):
            remedy += "; or the path of a .yaml file"
        raise node.place.error(f"{field}: there is no policy {text!r}", remedy, field)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise node.place.error(f"{field}: {text} cannot be read: {why}", f"write {path}", field) from None
    start = Place(str(path), 1, 1)
    if len(raw) > MAX_BYTES:
        raise start.error("the file is larger than 1 MiB", "a policy is shorter")
    root = read_yaml(read_text(raw, str(path)), str(path))
    if root is None or not isinstance(root.value, dict):
        raise start.error("a policy is a mapping of keys to values", "begin with rules: or extends:")
    return root, path.parent, path.stem


def _filled(rule: PolicyRule, chain: list[PolicyFile]) -> PolicyRule:
    """A rule with what the policies say for all of theirs; the one that extends has the first word."""
    if rule.do != "hold":
        return rule
    seconds = next((one.expires_seconds for one in chain if one.expires_seconds is not None), None)
    turns = next((one.expires_turns for one in chain if one.expires_turns is not None), None)
    tell = next((one.tell for one in chain if one.tell), ())
    says = rule.expires_seconds is not None or rule.expires_turns is not None
    return msgspec.structs.replace(
        rule,
        expires_seconds=rule.expires_seconds if says else seconds,
        expires_turns=rule.expires_turns if says or rule.mode != "defer" else turns,
        tell=rule.tell or tell,
    )


# --- what a rule may not say --------------------------------------------------------------------------


def _check_rules(policy: Node, field: str, world: World | None) -> None:
    if "rules" not in policy.value:
        return
    for index, node in enumerate(policy.value["rules"][1].value):
        where = f"{field}.rules.{index}".lstrip(".")
        rule = msgspec.convert(node.plain(), PolicyRule)
        for key, problem, remedy in _problems(rule):
            place = node.value[key][1].place if key in node.value else node.place
            called = f"the rule {rule.name!r}" if rule.name else "this rule"
            raise place.error(f"{where}: {called} {problem}", remedy, f"{where}.{key}")
        if world is not None:
            _check_world(node, rule, where, world)


def _problems(rule: PolicyRule) -> list[tuple[str, str, str]]:
    """What is wrong with a rule: the key, what it does, how to mend it."""
    found: list[tuple[str, str, str]] = []
    two = "high and critical always wait for two"
    grave = " and ".join(risk for risk in rule.risk if risk in GRAVE)
    if grave and rule.do == "allow":
        found.append(("do", f"lets {grave} risk pass: {two}", "do: hold, or do: refuse"))
    if grave and rule.approvers == 1:
        found.append(("approvers", f"lets one person decide on {grave} risk: {two}", "approvers: 2"))
    if rule.do != "hold":
        terms = ("mode", "approvers", "expires_seconds", "expires_turns", "tell")
        idle = [key for key in terms if getattr(rule, key) not in (None, (), "park")]
        found += [(key, f"says {key}, and holds nothing", "do: hold, or leave it out") for key in idle]
    if rule.do == "hold" and rule.mode == "park" and rule.expires_turns is not None:
        found.append(("expires_turns", "stops the run, where no turn passes", "say expires_seconds"))
    if rule.over is not None and rule.under is not None and rule.over >= rule.under:
        found.append(("under", f"fits no amount: over {rule.over:g} and under {rule.under:g}", "swap them"))
    if rule.over is None and rule.under is None:
        found += [
            (key, f"names {key}, and no amount", "add over: or under:")
            for key in ("unit", "amount")
            if getattr(rule, key)
        ]
    if rule.unit and rule.amount:
        found.append(("unit", "takes the amount from a field, which has no unit", "leave unit out"))
    return found


def _check_world(node: Node, rule: PolicyRule, where: str, world: World) -> None:
    """Its types and its field are the world's own: a misspelt one would hold nothing, in silence."""
    known = {kind.__name__: kind for role in world.roles.values() for kind in role.actions}
    for index, glob in enumerate(rule.types):
        if not any(fnmatchcase(name, glob) for name in known):
            place = node.value["types"][1].value[index].place
            raise place.error(
                f"{where}.types: {world.name} has no action {glob!r}", suggest(glob, known), f"{where}.types"
            )
    if not rule.amount:
        return
    meant = [kind for name, kind in known.items() if fits_type(rule, name)]
    fields = {name for kind in meant for name in keys_of(kind).fields}
    if rule.amount not in fields:
        raise node.value["amount"][1].place.error(
            f"{where}.amount: no such action has a field {rule.amount!r}",
            suggest(rule.amount, sorted(fields)),
            f"{where}.amount",
        )


def whole_policy(given: Any, world: World | None = None) -> dict[str, Any] | None:
    """The policy of a scenario that was made in Python, or comes from a journal."""
    if not given:
        return None
    if not isinstance(given, (str, dict)):
        raise ScenarioError(
            "approvals must be the name of a policy, a path or a mapping",
            where="approvals",
            remedy=f"one of: {', '.join(profiles())}",
            field="approvals",
        )
    return policy_of(node_of(given, Place("a scenario made in Python")), None, world)
