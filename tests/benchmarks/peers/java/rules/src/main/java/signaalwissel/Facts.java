package signaalwissel;

import java.util.ArrayList;
import java.util.List;

/** What a KeyedTrajectory of `resident-events` holds: its head, and the facts that the fold works on. */
final class Facts {
    static final int APPLIED = 0, ADMITTED = 1, REFUSED = 2, SERVICE_OPENED = 7, SERVICE_CLOSED = 8,
            MONITORING_STARTED = 9, MONITORING_ENDED = 10, AFTERCARE_STARTED = 11, AFTERCARE_ENDED = 12, EXITED = 13,
            REOPENED = 14, CLIENT_CHANGED = 16, OBJECTION_LODGED = 18, OBJECTION_WITHDRAWN = 19,
            WITHDRAWN_IN_ERROR = 20, ERASED = 21;
    static final int COMPLETED = 0, DECEASED = 7;
    private static final int SCHEMA_HEADER = 5;

    /** A client as keyed hashes; each is null where it is not known. */
    record Person(byte[] bsn, byte[] birthDate, byte[] surname, byte[] address) { }

    record Counsellor(String id, String team) { }

    /** A lifecycle event without the person; days count from 1970, numbers of symbols are -1 where there is none. */
    record Fact(String eventId, long sequence, int occurredOn, long recordedAt, int kind, List<Person> clients,
                Counsellor counsellor, int exitReason, int service, int client) {
        boolean lists() {
            return kind == APPLIED || kind == CLIENT_CHANGED;
        }

        boolean namesSomebody() {
            return !clients.isEmpty() || client >= 0;
        }

        boolean concernsOneClient() {
            return kind == OBJECTION_LODGED || kind == OBJECTION_WITHDRAWN || kind == EXITED && exitReason == DECEASED;
        }
    }

    final String trajectoryId;
    final long version;
    final List<Fact> facts = new ArrayList<>();

    /** Read a KeyedTrajectory in wire format. */
    Facts(byte[] data, int from) {
        In in = new In(data, from + SCHEMA_HEADER);
        in.skip();
        trajectoryId = in.string();
        version = in.number();
        in.flag();
        in.skip();
        for (int count = in.integer(); count != 0; count = in.integer())
            for (int n = 0; n < count; n++) facts.add(fact(in));
    }

    private static Fact fact(In in) {
        String eventId = in.string();
        long sequence = in.number();
        int occurredOn = in.integer();
        long recordedAt = in.number();
        int kind = in.integer();
        List<Person> clients = new ArrayList<>();
        for (int count = in.integer(); count != 0; count = in.integer())
            for (int n = 0; n < count; n++)
                clients.add(new Person(in.optionalBinary(), in.optionalBinary(), in.optionalBinary(), in.optionalBinary()));
        Counsellor counsellor = in.some() ? new Counsellor(in.string(), in.string()) : null;
        int exitReason = in.optionalIndex();
        int service = in.optionalIndex();
        if (in.some()) in.flag();
        int client = in.optionalIndex();
        return new Fact(eventId, sequence, occurredOn, recordedAt, kind, clients, counsellor, exitReason, service, client);
    }

    /** Whether the facts make a trajectory: applied for, not erased, not withdrawn in error. */
    static boolean stand(List<Fact> facts) {
        long applied = Long.MIN_VALUE, withdrawn = Long.MIN_VALUE;
        for (Fact fact : facts) {
            if (fact.kind == ERASED) return false;
            if (fact.kind == APPLIED) applied = Math.max(applied, fact.sequence);
            if (fact.kind == WITHDRAWN_IN_ERROR) withdrawn = Math.max(withdrawn, fact.sequence);
        }
        return applied > withdrawn;
    }

    /** The facts that count before a moment; the same list when all do. */
    List<Fact> within(long horizon) {
        List<Fact> kept = new ArrayList<>();
        for (Fact fact : facts)
            if (fact.recordedAt < horizon || fact.kind == ERASED || fact.kind == WITHDRAWN_IN_ERROR) kept.add(fact);
        return kept.size() == facts.size() ? facts : kept;
    }
}
