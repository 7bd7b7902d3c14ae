"""How each verb is reached: by REST, and where there is one, by a tool of MCP."""

from __future__ import annotations

from typing import Any, NamedTuple

RUN = "/api/simulations/nobody"
START = {"scenario": "economy/quick"}
CUP_PLAYED = {"scenario": "economy/quick", "entrants": ["balanced", "austerity"]}
CUP = {"tournament": "A cup", **CUP_PLAYED}
VOTE = {"approval_id": "nobody:1.validate.ann.0", "digest": "0" * 64}
BRED_OF = {"start": "thrift", "scenario": "economy/quick"}
PLAN = {"name": "nightly", "when": "daily at 03:00", "do": "health", "first_now": False}


class Way(NamedTuple):
    method: str
    path: str
    body: Any = None
    tool: str = ""
    asked: dict[str, Any] | None = None


OF_RUN = {"run_id": "nobody"}
WAYS: dict[str, Way] = {
    "start_simulation": Way("POST", "/api/simulations", START, "start_simulation", START),
    "list_simulations": Way("GET", "/api/simulations", None, "list_simulations", {}),
    "list_groups": Way("GET", "/api/groups"),
    "get_simulation_status": Way("GET", RUN, None, "get_simulation_status", OF_RUN),
    "cancel_simulation": Way("DELETE", RUN, None, "cancel_simulation", OF_RUN),
    "purge_simulation": Way("DELETE", f"{RUN}?purge=true"),
    "get_simulation_results": Way("GET", f"{RUN}/results", None, "get_simulation_results", OF_RUN),
    "get_config": Way("GET", f"{RUN}/config", None, "get_config", OF_RUN),
    "get_state": Way("GET", f"{RUN}/state", None, "get_state", OF_RUN),
    "get_panels": Way("GET", f"{RUN}/panels"),
    "get_turn": Way("GET", f"{RUN}/turns/1"),
    "get_entries": Way("GET", f"{RUN}/entries", None, "get_entries", OF_RUN),
    "get_operations": Way("GET", f"{RUN}/operations"),
    "get_metrics": Way("GET", f"{RUN}/metrics", None, "get_metrics", OF_RUN),
    "get_leaps": Way("GET", f"{RUN}/leaps"),
    "get_checkpoints": Way("GET", f"{RUN}/checkpoints"),
    "pause_simulation": Way("POST", f"{RUN}/pause", None, "pause_simulation", OF_RUN),
    "resume_simulation": Way("POST", f"{RUN}/resume", {}, "resume_simulation", OF_RUN),
    "fork_simulation": Way("POST", f"{RUN}/fork", {"at": "1"}, "fork_simulation", {**OF_RUN, "at": "1"}),
    "replay_simulation": Way("POST", f"{RUN}/replay", None, "replay_simulation", OF_RUN),
    "verify_simulation": Way("POST", f"{RUN}/verify", None, "verify_simulation", OF_RUN),
    "send_event": Way(
        "POST", f"{RUN}/events", {"kind": "shock"}, "send_event", {**OF_RUN, "kind": "shock", "body": {}}
    ),
    "list_questions": Way("GET", f"{RUN}/answers", None, "list_questions", OF_RUN),
    "answer_question": Way(
        "POST", f"{RUN}/answers", {"result": 1}, "answer_question", {**OF_RUN, "result": {"type": "Wait"}}
    ),
    "give_feedback": Way(
        "POST", f"{RUN}/feedback", {"score": 1}, "give_feedback", {**OF_RUN, "score": 1, "comment": "good"}
    ),
    "export_simulation": Way("GET", f"{RUN}/export"),
    "import_simulations": Way("POST", "/api/import"),
    "compare": Way(
        "POST", "/api/compare", {"runs": ["nobody", "none"]},
        "compare_simulations", {"run_ids": ["nobody", "none"]},
    ),
    "estimate": Way("POST", "/api/estimate", START, "estimate_cost", START),
    "list_approvals": Way("GET", "/api/approvals", None, "list_approvals", {}),
    "get_approval": Way("GET", "/api/approvals/nobody:1.validate.ann.0"),
    "approve": Way("POST", "/api/approvals/nobody:1.validate.ann.0/approve", {}, "approve_action", VOTE),
    "reject": Way("POST", "/api/approvals/nobody:1.validate.ann.0/reject", {}, "reject_action", VOTE),
    "list_tournaments": Way("GET", "/api/tournaments"),
    "start_tournament": Way(
        "POST", "/api/tournaments", CUP, "start_tournament", {"title": "A cup", **CUP_PLAYED}
    ),
    "estimate_tournament": Way("POST", "/api/tournaments/estimate", CUP),
    "get_tournament_standings": Way(
        "GET", "/api/tournaments/nobody", None, "get_tournament_standings", OF_RUN
    ),
    "list_matches": Way("GET", "/api/tournaments/nobody/matches"),
    "list_strategies": Way("GET", "/api/strategies", None, "list_strategies", {}),
    "get_strategy": Way("GET", "/api/strategies/none"),
    "diff_strategies": Way("GET", "/api/strategies/none/diff?a=1.0.0&b=1.0.1"),
    "add_strategy": Way("POST", "/api/strategies", {"strategy": {"strategy": "thrift"}}),
    "tag_strategy": Way("POST", "/api/strategies/none/tag", {"version": "1.0.0", "tag": "champion"}),
    "rollback_strategy": Way("POST", "/api/strategies/none/rollback"),
    "list_evolutions": Way("GET", "/api/evolution"),
    "start_evolution": Way(
        "POST", "/api/evolution", {"evolution": "Better", **BRED_OF},
        "start_evolution", {"title": "Better", **BRED_OF},
    ),
    "estimate_evolution": Way("POST", "/api/evolution/estimate", {"evolution": "Better", **BRED_OF}),
    "get_evolution": Way("GET", "/api/evolution/nobody", None, "get_evolution", OF_RUN),
    "list_evolution_matches": Way("GET", "/api/evolution/nobody/matches"),
    "list_proposals": Way("GET", "/api/evolution/proposals", None, "list_proposals", {}),
    "get_proposal": Way("GET", "/api/evolution/proposals/9", None, "get_proposal", {"proposal": 9}),
    "approve_proposal": Way(
        "POST", "/api/evolution/proposals/9/approve", {},
        "decide_proposal", {"proposal": 9, "decision": "approve"},
    ),
    "reject_proposal": Way(
        "POST", "/api/evolution/proposals/9/reject", {},
        "decide_proposal", {"proposal": 9, "decision": "reject"},
    ),
    "rollback_proposal": Way(
        "POST", "/api/evolution/proposals/9/rollback", {},
        "decide_proposal", {"proposal": 9, "decision": "rollback"},
    ),
    "list_worlds": Way("GET", "/api/worlds", None, "list_worlds", {}),
    "get_world": Way("GET", "/api/worlds/economy"),
    "list_scenarios": Way("GET", "/api/scenarios", None, "list_scenarios", {}),
    "get_scenario": Way(
        "GET", "/api/scenarios/economy/quick", None, "get_scenario", {"name": "economy/quick"}
    ),
    "list_models": Way("GET", "/api/models", None, "list_models", {}),
    "list_schedules": Way("GET", "/api/schedules", None, "list_schedules", {}),
    "get_schedule": Way("GET", "/api/schedules/none"),
    "add_schedule": Way("POST", "/api/schedules", PLAN, "add_schedule", {"name": "n", "when": "daily"}),
    "enable_schedule": Way(
        "POST", "/api/schedules/none/enable", None, "change_schedule", {"name": "none", "change": "enable"}
    ),
    "disable_schedule": Way(
        "POST", "/api/schedules/none/disable", None, "change_schedule", {"name": "none", "change": "disable"}
    ),
    "remove_schedule": Way(
        "DELETE", "/api/schedules/none", None, "change_schedule", {"name": "none", "change": "remove"}
    ),
    "list_keys": Way("GET", "/api/keys"),
    "create_key": Way("POST", "/api/keys", {"name": "new", "roles": ["viewer"]}),
    "rotate_key": Way("POST", "/api/keys/none/rotate"),
    "revoke_key": Way("DELETE", "/api/keys/none"),
    "audit_log": Way("GET", "/api/audit"),
    "get_system": Way("GET", "/api/system", None, "get_system", {}),
}  # fmt: skip

# Who may: written down a second time, so that a role is not changed by a slip. All others are a viewer's.
ADMIN = {"purge_simulation", "list_keys", "create_key", "rotate_key", "revoke_key", "audit_log"}
APPROVER = {"approve", "reject", "approve_proposal", "reject_proposal", "rollback_proposal"}
OPERATOR = {
    "start_simulation", "cancel_simulation", "pause_simulation", "resume_simulation", "fork_simulation",
    "send_event", "answer_question", "give_feedback", "import_simulations", "add_schedule", "enable_schedule",
    "disable_schedule", "remove_schedule", "start_tournament", "add_strategy", "tag_strategy",
    "rollback_strategy", "start_evolution",
}  # fmt: skip
ONLY_LOOK = {"list_keys", "audit_log"}  # of those, what changes nothing
