"""What each column of the database says of a person: the other half of the catalogue behind the DPIA facts.

In: nothing. Out: table, nature, column names.
"""

from collections.abc import Mapping

from signaalwissel.processors.privacy_natures import Nature

TABLES: Mapping[str, Mapping[Nature, str]] = {
    "consumed_offsets": {
        Nature.NOT_PERSONAL: "topic partition next_offset updated_at",
    },
    "decisions": {
        Nature.PSEUDONYM: "match_key",
        Nature.SEALED: "sealed_subject",
        Nature.REFERENCE: (
            "routing_id signal_id trajectory_id client candidates caused_by_event_id previous_routing_id"
        ),
        Nature.ABOUT: (
            "route reason explanation reference_date partner_id partner_kind arrears_cents "
            "arrears_since signalled_on received_at crisis warm_transfer trajectory_state "
            "window_ends_on debt_timing matched_by evidence last_day action cause"
        ),
        Nature.STAFF: "counsellor_id",
        Nature.NOT_PERSONAL: "municipality revision policy_version decided_at counsellor_team team",
    },
    "trajectories": {
        Nature.PSEUDONYM: "state",
        Nature.REFERENCE: "trajectory_id",
        Nature.ABOUT: "erased next_on",
        Nature.STAFF: "counsellor_id",
        Nature.NOT_PERSONAL: "municipality version counsellor_team",
    },
    "trajectory_keys": {
        Nature.PSEUDONYM: "match_key",
        Nature.REFERENCE: "trajectory_id",
        Nature.NOT_PERSONAL: "municipality",
    },
    "found": {
        Nature.REFERENCE: "trajectory_id client",
        Nature.ABOUT: "first_found_on",
        Nature.NOT_PERSONAL: "municipality",
    },
    "tasks": {
        Nature.REFERENCE: "task_id trajectory_id candidates",
        Nature.ABOUT: "kind status due_on opened_on next_on rung outcome",
        Nature.STAFF: "assignee",
        Nature.NOT_PERSONAL: "version municipality team policy_version",
    },
    "task_signals": {
        Nature.PSEUDONYM: "signal_ref match_key",
        Nature.REFERENCE: "task_id signal_id routing_id",
        Nature.ABOUT: (
            "partner_id partner_kind received_at arrears_cents arrears_since last_day crisis repeated "
            "left offered late client"
        ),
        Nature.NOT_PERSONAL: "position",
    },
    "task_history": {
        Nature.REFERENCE: "task_id",
        Nature.ABOUT: "at what note",
        Nature.STAFF: "by",
        Nature.NOT_PERSONAL: "position",
    },
    "task_updates": {
        Nature.REFERENCE: "update_id task_id",
        Nature.ABOUT: "kind occurred_at channel reached outcome",
        Nature.STAFF: "by",
    },
    "policies": {
        # A policy names counsellors who get no tasks.
        Nature.STAFF: "content",
        Nature.NOT_PERSONAL: "version first_seen_at",
    },
    "notices": {
        Nature.PSEUDONYM: "addressee",
        Nature.REFERENCE: "notice_id trajectory_id signal_id",
        Nature.ABOUT: "kind legal_ground occurred_on due_on feedback",
        Nature.NOT_PERSONAL: "municipality made_at",
    },
    "commands": {
        Nature.PSEUDONYM: "signal_ref match_key value",
        Nature.REFERENCE: "command_id",
        Nature.NOT_PERSONAL: "issued_at stands_until",
    },
    "dead_letters": {
        Nature.SEALED: "sealed",
        Nature.REFERENCE: "dead_letter_id record_id",
        Nature.NOT_PERSONAL: "stage topic partition offset timestamp code field rule municipality status replays",
    },
    "outbox": {
        Nature.PSEUDONYM: "key value",
        Nature.REFERENCE: "aggregate_id",
        Nature.NOT_PERSONAL: "id version topic headers created_at sent_at",
    },
    "subject_requests": {
        Nature.STAFF: "asked_by",
        Nature.NOT_PERSONAL: "request_id kind municipality ground handled_at found",
    },
    "erasure_ledger": {
        Nature.PSEUDONYM: "opaque",
        Nature.NOT_PERSONAL: "erasure_id kind municipality erased_at",
    },
    "objections": {
        Nature.PSEUDONYM: "bsn birth_date addresses match_keys",
        Nature.REFERENCE: "objection_id",
        Nature.ABOUT: "lodged_on lodged_at withdrawn_on withdrawn_at",
        Nature.NOT_PERSONAL: "municipality",
    },
    "open_klant_handovers": {
        Nature.REFERENCE: "task_id klantcontact internetaak",
        Nature.NOT_PERSONAL: "version status attempts next_attempt_at last_error failing_since",
    },
    "feedback_deliveries": {
        Nature.REFERENCE: "notice_id",
        Nature.ABOUT: "partner_id",
        Nature.NOT_PERSONAL: "municipality attempts next_attempt_at last_error failing_since sent_at",
    },
    "processing_log": {
        Nature.PSEUDONYM: "content",
        Nature.NOT_PERSONAL: "id created_at writer lines sent_at",
    },
    "audit_chains": {
        Nature.NOT_PERSONAL: "chain seq hash",
    },
    "audit_starts": {
        Nature.NOT_PERSONAL: "chain seq hash",
    },
    "audit_kept": {
        Nature.NOT_PERSONAL: "days",
    },
    "audit_blocks": {
        Nature.REFERENCE: "ids",
        # A digest of a row proves what stood there to whoever knows it; it does not give it back.
        Nature.PSEUDONYM: "digests",
        Nature.NOT_PERSONAL: "block_id chain seq at kind source reason previous hash",
    },
    "audit_events": {
        Nature.REFERENCE: "about trace_id details",
        Nature.STAFF: "actor",
        Nature.NOT_PERSONAL: "event_id at kind municipality",
    },
    "retention_holds": {
        Nature.REFERENCE: "trajectory_id",
        Nature.NOT_PERSONAL: "hold_id municipality reason until placed_at released_at release_reason",
    },
    "retention_terms": {
        Nature.REFERENCE: "trajectory_id",
        Nature.ABOUT: "ended_on entrepreneur",
        Nature.NOT_PERSONAL: "municipality version",
    },
    "retention_tombstones": {
        # Whoever knows the number of a trajectory or of a task can find its digest.
        Nature.PSEUDONYM: "digest",
        Nature.NOT_PERSONAL: "municipality destroyed_on confirmed_on",
    },
    "retention_days": {
        Nature.NOT_PERSONAL: "municipality day key_destroyed_at",
    },
    "retention_proofs": {
        Nature.NOT_PERSONAL: "municipality kind destroyed_on count months justification policy_version",
    },
    "ended_sessions": {
        # Of the staff; whoever knows somebody's subject at the identity provider can find the digest.
        Nature.STAFF: "digest",
        Nature.NOT_PERSONAL: "ended_s",
    },
    "running_sessions": {
        Nature.STAFF: "digest person",
        Nature.NOT_PERSONAL: "began_s seen_s",
    },
    "retained_figures": {
        Nature.NOT_PERSONAL: (
            "municipality month partner_kind partner_id after_admission after_exit suppress_below"
        ),
    },
}
"""Per table its columns, by nature."""
