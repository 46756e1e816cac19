"""What each field of each Avro record says of a person: one half of the catalogue behind the DPIA facts.

In: nothing. Out: record type, nature, field paths; the paths are those of the schema, parts joined by a dot.
"""

from collections.abc import Mapping

from signaalwissel.processors.privacy_natures import Nature

RECORDS: Mapping[str, Mapping[Nature, str]] = {
    "DeadLetter": {
        Nature.SEALED: "sealed",
        Nature.REFERENCE: "dead_letter_id record_id",
        Nature.NOT_PERSONAL: "stage topic partition offset timestamp code field rule municipality",
    },
    "Decision": {
        Nature.PSEUDONYM: "match_key",
        Nature.SEALED: "sealed_subject",
        Nature.REFERENCE: (
            "routing_id signal_id trajectory_id client candidates.trajectory_id candidates.client "
            "caused_by_event_id previous_routing_id"
        ),
        Nature.ABOUT: (
            "route reason explanation reference_date partner.partner_id partner.kind arrears "
            "arrears_since signalled_on received_at crisis warm_transfer trajectory_state "
            "window_ends_on debt_timing matched_by evidence last_day action cause"
        ),
        Nature.STAFF: "counsellor.counsellor_id",
        Nature.NOT_PERSONAL: "municipality revision policy_version decided_at counsellor.team team",
    },
    "EarlySignal": {
        Nature.IDENTIFYING: (
            "subject.bsn subject.postcode subject.house_number subject.house_number_addition "
            "subject.birth_date subject.initials subject.surname subject.phone subject.email "
            "customer_reference"
        ),
        Nature.REFERENCE: "signal_id",
        Nature.ABOUT: (
            "partner.partner_id partner.kind arrears arrears_since signalled_on received_at crisis "
            "warm_transfer collection_effort_attested"
        ),
        Nature.NOT_PERSONAL: "municipality",
    },
    "IntakeCommand": {
        Nature.REFERENCE: "command_id trajectory_id client",
        Nature.ABOUT: "kind occurred_on",
        Nature.NOT_PERSONAL: "municipality issued_at",
    },
    "ImportedRows": {
        Nature.PSEUDONYM: "rows",
        Nature.NOT_PERSONAL: "system file complete",
    },
    "ImportedState": {
        Nature.PSEUDONYM: "clients.bsn clients.birth_date clients.surname clients.address",
        Nature.REFERENCE: "trajectory_id",
        Nature.ABOUT: (
            "withdrawn clients_changed course.applied_on course.admitted_on course.refused_on course.exited_on "
            "course.exit_reason course.plan_on course.stabilisation_on course.settlement_on course.solution_on "
            "course.solution course.monitoring.begin course.monitoring.end course.aftercare.begin "
            "course.aftercare.end course.services.service course.services.span.begin "
            "course.services.span.end course.entrepreneur"
        ),
        Nature.STAFF: "course.counsellor.counsellor_id",
        Nature.NOT_PERSONAL: "system municipality next_sequence begun_again course.counsellor.team",
    },
    "IntakeSignal": {
        Nature.PSEUDONYM: "deliveries.digest deliveries.match_key",
        Nature.ABOUT: "deliveries.received_at",
    },
    "IntakeTrajectory": {
        Nature.PSEUDONYM: (
            "facts.clients.bsn facts.clients.birth_date facts.clients.surname facts.clients.address "
            "match_keys"
        ),
        Nature.SEALED: "identities.sealed waiting.sealed",
        Nature.REFERENCE: (
            "trajectory_id caused_by_event_id facts.event_id facts.client identities.event_id "
            "waiting.event_id"
        ),
        Nature.ABOUT: (
            "erased facts.occurred_on facts.recorded_at facts.kind facts.exit_reason facts.service "
            "facts.entrepreneur"
        ),
        Nature.STAFF: "facts.counsellor.counsellor_id",
        Nature.NOT_PERSONAL: (
            "municipality version facts.sequence facts.counsellor.team waiting.topic "
            "waiting.partition waiting.offset waiting.timestamp"
        ),
    },
    "KeyedSignal": {
        Nature.PSEUDONYM: "signal_ref pseudonym.bsn pseudonym.birth_date pseudonym.surname pseudonym.address",
        Nature.SEALED: "sealed_subject",
        Nature.REFERENCE: "signal_id",
        Nature.ABOUT: (
            "reference_date last_day partner.partner_id partner.kind arrears arrears_since "
            "signalled_on received_at crisis warm_transfer"
        ),
        Nature.NOT_PERSONAL: "municipality",
    },
    "KeyedTrajectory": {
        Nature.PSEUDONYM: "facts.clients.bsn facts.clients.birth_date facts.clients.surname facts.clients.address",
        Nature.REFERENCE: "trajectory_id caused_by_event_id facts.event_id facts.client",
        Nature.ABOUT: (
            "erased facts.occurred_on facts.recorded_at facts.kind facts.exit_reason facts.service "
            "facts.entrepreneur"
        ),
        Nature.STAFF: "facts.counsellor.counsellor_id",
        Nature.NOT_PERSONAL: "municipality version facts.sequence facts.counsellor.team",
    },
    "MatchRotation": {
        Nature.NOT_PERSONAL: "municipality old new phase finished",
    },
    "NoticeEvent": {
        Nature.PSEUDONYM: "addressee",
        Nature.REFERENCE: "notice_id trajectory_id signal_id",
        Nature.ABOUT: "kind due_on legal_ground feedback occurred_on",
        Nature.NOT_PERSONAL: "version municipality",
    },
    "OriginalRecord": {
        Nature.IDENTIFYING: "key value headers.value",
        Nature.NOT_PERSONAL: "headers.name",
    },
    "PartnerFeedback": {
        Nature.REFERENCE: "notice_id signal_id",
        Nature.ABOUT: "feedback occurred_on",
        Nature.NOT_PERSONAL: "municipality partner_id",
    },
    "RecentSignal": {
        Nature.PSEUDONYM: "match_key signal",
        Nature.REFERENCE: (
            "trajectory_id confirmed.trajectory_id confirmed.client refuted.trajectory_id "
            "refuted.client commands"
        ),
        Nature.ABOUT: "route address_only regular_holds offered",
        Nature.NOT_PERSONAL: "written_at revision policy_version",
    },
    "ResidentCommand": {
        Nature.PSEUDONYM: "signal_ref person.bsn person.birth_date person.surname person.address",
        Nature.REFERENCE: "command_id trajectory_id client",
        Nature.ABOUT: "kind",
        Nature.NOT_PERSONAL: "municipality issued_at",
    },
    "RotationStep": {
        Nature.NOT_PERSONAL: "municipality old new phase",
    },
    "RouteCorrection": {
        Nature.SEALED: "to.sealed_subject",
        Nature.REFERENCE: (
            "correction_id signal_id from_routing_id to.routing_id to.signal_id to.trajectory_id to.client"
        ),
        Nature.ABOUT: (
            "partner.partner_id partner.kind action cause to.route to.reason to.explanation "
            "to.reference_date to.partner.partner_id to.partner.kind to.arrears to.arrears_since "
            "to.signalled_on to.received_at to.crisis to.warm_transfer to.trajectory_state "
            "to.window_ends_on to.debt_timing"
        ),
        Nature.STAFF: "to.counsellor.counsellor_id",
        Nature.NOT_PERSONAL: (
            "municipality revision to.municipality to.revision to.policy_version to.decided_at "
            "to.counsellor.team to.team"
        ),
    },
    "RoutedSignal": {
        Nature.SEALED: "sealed_subject",
        Nature.REFERENCE: "routing_id signal_id trajectory_id client",
        Nature.ABOUT: (
            "route reason explanation reference_date partner.partner_id partner.kind arrears "
            "arrears_since signalled_on received_at crisis warm_transfer trajectory_state "
            "window_ends_on debt_timing"
        ),
        Nature.STAFF: "counsellor.counsellor_id",
        Nature.NOT_PERSONAL: "municipality revision policy_version decided_at counsellor.team team",
    },
    "SealedClients": {
        Nature.IDENTIFYING: (
            "clients.bsn clients.postcode clients.house_number clients.house_number_addition "
            "clients.birth_date clients.initials clients.surname clients.phone clients.email"
        ),
    },
    "SealedSubject": {
        Nature.IDENTIFYING: (
            "subject.bsn subject.postcode subject.house_number subject.house_number_addition "
            "subject.birth_date subject.initials subject.surname subject.phone subject.email "
            "customer_reference"
        ),
    },
    "TaskEvent": {
        Nature.REFERENCE: "task_id trajectory_id signals.signal_id signals.routing_id",
        Nature.ABOUT: (
            "kind status due_on signals.partner_id signals.received_at signals.repeated history.at "
            "history.what history.note"
        ),
        Nature.STAFF: "assignee history.by",
        Nature.NOT_PERSONAL: "version municipality team",
    },
    "TaskUpdate": {
        Nature.REFERENCE: "update_id task_id trajectory_id client",
        Nature.ABOUT: "occurred_at kind channel reached outcome",
        Nature.STAFF: "by assignee",
    },
    "TrajectoryEvent": {
        Nature.IDENTIFYING: (
            "clients.bsn clients.postcode clients.house_number clients.house_number_addition "
            "clients.birth_date clients.initials clients.surname clients.phone clients.email"
        ),
        Nature.REFERENCE: "event_id trajectory_id",
        Nature.ABOUT: "occurred_on recorded_at kind exit_reason service solution entrepreneur",
        Nature.STAFF: "counsellor.counsellor_id",
        Nature.NOT_PERSONAL: "municipality sequence counsellor.team",
    },
    "TrajectoryState": {
        Nature.PSEUDONYM: (
            "facts.clients.bsn facts.clients.birth_date facts.clients.surname facts.clients.address "
            "match_keys"
        ),
        Nature.REFERENCE: "trajectory_id caused_by_event_id facts.event_id facts.client",
        Nature.ABOUT: (
            "erased facts.occurred_on facts.recorded_at facts.kind facts.exit_reason facts.service "
            "facts.entrepreneur"
        ),
        Nature.STAFF: "facts.counsellor.counsellor_id",
        Nature.NOT_PERSONAL: "municipality version facts.sequence facts.counsellor.team",
    },
}
"""Per record type its fields, by nature; a field of a list stands under the list's name."""
