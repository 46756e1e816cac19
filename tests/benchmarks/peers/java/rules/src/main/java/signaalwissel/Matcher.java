package signaalwissel;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The match job of one task, without an engine: what the engine keeps for it are two tables of bytes. */
public final class Matcher {
    /** A table of bytes that the engine keeps and restores. */
    public interface Table {
        byte[] get(byte[] key);

        void put(byte[] key, byte[] value);
    }

    private static final int TRAJECTORY = 103, STAMP = 8, REMEMBERED = 50_000;
    private static final List<Known> NOBODY = List.of();

    private final Table trajectories, recents;
    private final Routing routing;
    /** The trajectories of match keys that were asked for lately, decoded; nobody is remembered too. */
    private final Map<ByteBuffer, List<Known>> lately = new LinkedHashMap<>(1024, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, List<Known>> eldest) {
            return size() > REMEMBERED;
        }
    };

    public Matcher(Table trajectories, Table recents, String policyVersion) {
        this.trajectories = trajectories;
        this.recents = recents;
        routing = new Routing(policyVersion);
    }

    /** One record of `resident-events`; what a new signal becomes, null for everything else. */
    public Routing.Routed step(byte[] matchKey, byte[] record, long recordTime) {
        int schema = Signal.schemaOf(record);
        if (schema == TRAJECTORY) {
            keep(matchKey, record, recordTime);
            return null;
        }
        if (schema != Signal.SCHEMA) throw new IllegalArgumentException("no record of this workload: schema " + schema);
        Signal signal = new Signal(record);
        if (recents.get(signal.ref) != null) return null;
        Routing.Routed routed = routing.of(signal, matchKey, Rules.decide(signal, asOf(signal, matchKey)), recordTime);
        recents.put(routed.ref(), routed.recent());
        return routed;
    }

    private List<Trajectory> asOf(Signal signal, byte[] matchKey) {
        List<Known> known = known(matchKey);
        if (known.isEmpty()) return List.of();
        long horizon = Rules.horizon(signal.lastDay);
        List<Trajectory> folded = new ArrayList<>(known.size());
        for (Known one : known) {
            Trajectory trajectory = one.asOf(horizon);
            if (trajectory != null) folded.add(trajectory);
        }
        return folded;
    }

    private List<Known> known(byte[] matchKey) {
        ByteBuffer key = ByteBuffer.wrap(matchKey);
        List<Known> known = lately.get(key);
        if (known == null) {
            known = read(trajectories.get(matchKey));
            lately.put(key, known);
        }
        return known;
    }

    private static List<Known> read(byte[] value) {
        if (value == null) return NOBODY;
        List<Known> known = new ArrayList<>();
        ByteBuffer rest = ByteBuffer.wrap(value);
        while (rest.hasRemaining()) {
            byte[] stamped = new byte[rest.getInt()];
            rest.get(stamped);
            known.add(new Known(stamped));
        }
        return known;
    }

    private void keep(byte[] matchKey, byte[] record, long recordTime) {
        byte[] stamped = ByteBuffer.allocate(STAMP + record.length).putLong(recordTime).put(record).array();
        Known told = new Known(stamped);
        List<Known> kept = new ArrayList<>(known(matchKey));
        for (Known one : kept)
            if (one.facts.trajectoryId.equals(told.facts.trajectoryId) && one.facts.version >= told.facts.version) return;
        kept.removeIf(one -> one.facts.trajectoryId.equals(told.facts.trajectoryId));
        kept.add(told);
        ByteBuffer value = ByteBuffer.allocate(kept.stream().mapToInt(one -> Integer.BYTES + one.stamped.length).sum());
        for (Known one : kept) value.putInt(one.stamped.length).put(one.stamped);
        trajectories.put(matchKey, value.array());
        lately.put(ByteBuffer.wrap(matchKey), kept);
    }

    /** A trajectory at a match key; folded when a signal first asks. */
    private static final class Known {
        final byte[] stamped;
        final Facts facts;
        private Trajectory whole;
        private long latest = Long.MIN_VALUE;

        Known(byte[] stamped) {
            this.stamped = stamped;
            facts = new Facts(stamped, STAMP);
        }

        Trajectory asOf(long horizon) {
            if (latest == Long.MIN_VALUE) {
                whole = Trajectory.fold(facts.trajectoryId, facts.facts);
                latest = facts.facts.stream().mapToLong(Facts.Fact::recordedAt).max().orElse(0);
            }
            return latest < horizon ? whole : Trajectory.fold(facts.trajectoryId, facts.within(horizon));
        }
    }
}
