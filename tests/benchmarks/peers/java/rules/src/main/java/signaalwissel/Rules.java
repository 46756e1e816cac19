package signaalwissel;

import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The decision: one signal, the trajectories at its match key, the default policy. */
final class Rules {
    static final int RUNNING_TRAJECTORY = 0, OPEN_AFTERCARE = 1, OPEN_SERVICE = 2, COMPLETED_WITHIN_WINDOW = 3,
            NO_TRAJECTORY = 4, COMPLETED_OUTSIDE_WINDOW = 5, EXIT_NOT_COMPLETED = 6, ADMISSION_REFUSED = 7,
            ADDRESS_ONLY_MATCH = 8, OBJECTION = 9, DECEASED = 10;
    static final int BY_BSN = 0, BY_ADDRESS_AND_BIRTH_DATE = 1, BY_ADDRESS = 2;
    private static final int RUNNING = 0, MONITORING = 1, AFTERCARE = 2, SERVICE_OPEN = 3, WINDOW = 4;
    private static final int BEFORE_ADMISSION = 0, AFTER_ADMISSION = 1, AFTER_EXIT = 2, UNKNOWN = 3;
    private static final int WINDOW_MONTHS = 6, CORRECTION_DAYS = 35, ADDRESS_PERSONS_MAX = 8;
    private static final ZoneId AMSTERDAM = ZoneId.of("Europe/Amsterdam");

    record Candidate(String trajectoryId, int client) { }

    /** What a trajectory is to a signal; `state` -1 and the days null where there are none. */
    record Standing(int reason, Trajectory trajectory, int client, int state, Integer exitedOn, Integer windowEndsOn) {
        boolean hit() {
            return reason <= COMPLETED_WITHIN_WINDOW;
        }
    }

    record Verdict(boolean followed, int reason, Standing standing, int matchedBy, boolean named, List<Candidate> candidates) {
        static final Verdict NOBODY = new Verdict(false, NO_TRAJECTORY, null, -1, false, List.of());
    }

    private record Membership(Trajectory trajectory, int position) {
        Trajectory.Client client() {
            return trajectory.clients.get(position);
        }
    }

    private record Person(List<Membership> everywhere, List<Membership> here) {
        boolean born(byte[] day) {
            return here.stream().anyMatch(m -> m.client().birthDate != null && Arrays.equals(m.client().birthDate, day));
        }

        boolean birthDateKnown() {
            return here.stream().anyMatch(m -> m.client().birthDate != null);
        }

        boolean called(byte[] surname) {
            return here.stream().anyMatch(m -> m.client().surname != null && Arrays.equals(m.client().surname, surname));
        }
    }

    private record Finding(int reason, Standing standing) {
        Standing hit() {
            return standing != null && standing.hit() && standing.reason() == reason ? standing : null;
        }
    }

    private static final Comparator<Standing> PREFERENCE = Comparator
            .comparingInt((Standing s) -> -s.reason())
            .thenComparingInt(s -> s.trajectory().clients.get(s.client()).running.all.get(0).begin())
            .thenComparing(s -> s.trajectory().id);

    private Rules() { }

    /** The instant before which a fact must be recorded to count for a signal received on `lastDay`. */
    static long horizon(int lastDay) {
        return LocalDate.ofEpochDay(lastDay + CORRECTION_DAYS + 1).atStartOfDay(AMSTERDAM).toInstant().toEpochMilli();
    }

    static Verdict decide(Signal signal, List<Trajectory> trajectories) {
        if (trajectories.isEmpty()) return Verdict.NOBODY;
        List<Membership> members = memberships(trajectories);
        if (signal.pseudonym.bsn() != null) {
            List<Membership> his = members.stream().filter(m -> Arrays.equals(signal.pseudonym.bsn(), m.client().bsn)).toList();
            return certain(new Person(his, his), BY_BSN, signal);
        }
        return byAddress(signal, personsAt(members, signal));
    }

    private static Verdict byAddress(Signal signal, List<Person> persons) {
        byte[] birthDate = signal.pseudonym.birthDate();
        List<Person> pool = persons;
        if (birthDate != null) {
            List<Person> same = persons.stream().filter(p -> p.born(birthDate)).toList();
            if (same.size() == 1) return certain(same.get(0), BY_ADDRESS_AND_BIRTH_DATE, signal);
            pool = new ArrayList<>(same);
            for (Person person : persons) if (!person.birthDateKnown()) pool.add(person);
        }
        List<Candidate> candidates = new ArrayList<>();
        boolean named = false;
        for (Person person : pool) {
            Standing hit = find(person, signal).hit();
            if (hit == null) continue;
            candidates.add(new Candidate(hit.trajectory().id, hit.client()));
            named |= signal.pseudonym.surname() != null && person.called(signal.pseudonym.surname());
        }
        if (candidates.isEmpty()) return Verdict.NOBODY;
        if (persons.size() > ADDRESS_PERSONS_MAX)
            return new Verdict(false, ADDRESS_ONLY_MATCH, null, BY_ADDRESS, false, List.of());
        candidates.sort(Comparator.comparing(Candidate::trajectoryId).thenComparingInt(Candidate::client));
        return new Verdict(false, ADDRESS_ONLY_MATCH, null, BY_ADDRESS, named, candidates);
    }

    private static Verdict certain(Person person, int matchedBy, Signal signal) {
        Finding found = find(person, signal);
        if (found.reason() == NO_TRAJECTORY) return Verdict.NOBODY;
        return new Verdict(found.hit() != null, found.reason(), found.standing(), matchedBy, false, List.of());
    }

    private static Finding find(Person person, Signal signal) {
        Standing best = null;
        for (Membership m : person.here()) {
            Standing one = standing(m.trajectory(), m.position(), signal);
            if (one != null && (best == null || PREFERENCE.compare(one, best) > 0)) best = one;
        }
        Trajectory.Days receipt = new Trajectory.Days(signal.lastDay, signal.lastDay);
        boolean objects = false;
        for (Membership m : person.everywhere()) {
            for (Trajectory.Period period : m.client().running.all)
                if (period.end() != null && period.exitReason() == Facts.DECEASED && period.end() <= signal.lastDay)
                    return new Finding(DECEASED, best);
            for (Trajectory.Period objection : m.client().objections.all) objects |= objection.beforeEnd().meet(receipt);
        }
        if (objects) return new Finding(OBJECTION, best);
        return best == null ? new Finding(NO_TRAJECTORY, null) : new Finding(best.reason(), best);
    }

    private static List<Membership> memberships(List<Trajectory> trajectories) {
        List<Membership> all = new ArrayList<>();
        trajectories.stream().sorted(Comparator.comparing(t -> t.id)).forEach(trajectory -> {
            for (int n = 0; n < trajectory.clients.size(); n++) all.add(new Membership(trajectory, n));
        });
        return all;
    }

    private static List<Person> personsAt(List<Membership> members, Signal signal) {
        Map<Object, List<Membership>> everywhere = new LinkedHashMap<>();
        for (Membership m : members) {
            byte[] bsn = m.client().bsn;
            Object identity = bsn == null ? List.of(m.trajectory().id, m.position()) : java.nio.ByteBuffer.wrap(bsn);
            everywhere.computeIfAbsent(identity, any -> new ArrayList<>()).add(m);
        }
        Trajectory.Days days = new Trajectory.Days(signal.referenceDate, signal.lastDay);
        List<Person> persons = new ArrayList<>();
        for (List<Membership> his : everywhere.values()) {
            List<Membership> here = his.stream().filter(m -> m.client().livedAt(signal.pseudonym.address(), days)).toList();
            if (!here.isEmpty()) persons.add(new Person(his, here));
        }
        return persons;
    }

    private static Standing standing(Trajectory trajectory, int position, Signal signal) {
        Trajectory.Client client = trajectory.clients.get(position);
        Trajectory.Days days = new Trajectory.Days(signal.referenceDate, signal.lastDay);
        Trajectory.Period exit = exitThatCounts(client, days);
        Integer windowEndsOn = exit == null || exit.exitReason() != Facts.COMPLETED ? null
                : (int) LocalDate.ofEpochDay(exit.end()).plusMonths(WINDOW_MONTHS).toEpochDay();
        int reason = -1, state = -1;
        if (client.running.all.stream().anyMatch(p -> client.met(p.beforeEnd(), days))) {
            reason = RUNNING_TRAJECTORY;
            state = RUNNING;
        } else if (open(client, trajectory.aftercare, days)) {
            reason = OPEN_AFTERCARE;
            state = AFTERCARE;
        } else if (open(client, trajectory.monitoring, days)) {
            reason = OPEN_SERVICE;
            state = MONITORING;
        } else if (trajectory.services.values().stream().anyMatch(service -> open(client, service, days))) {
            reason = OPEN_SERVICE;
            state = SERVICE_OPEN;
        } else if (exit == null) {
            Trajectory.Days until = new Trajectory.Days(Trajectory.EVER, signal.lastDay);
            if (client.running.all.stream().noneMatch(p -> client.met(p.beforeEnd(), until))) return null;
            reason = EXIT_NOT_COMPLETED;
        } else if (windowEndsOn != null) {
            reason = signal.referenceDate <= windowEndsOn ? COMPLETED_WITHIN_WINDOW : COMPLETED_OUTSIDE_WINDOW;
            state = reason == COMPLETED_WITHIN_WINDOW ? WINDOW : -1;
        } else {
            reason = exit.exitReason() < 0 ? ADMISSION_REFUSED : EXIT_NOT_COMPLETED;
        }
        return new Standing(reason, trajectory, position, state, exit == null ? null : exit.end(), windowEndsOn);
    }

    private static boolean open(Trajectory.Client client, Trajectory.Periods periods, Trajectory.Days days) {
        for (Trajectory.Period period : periods.all) if (client.met(period.throughEnd(), days)) return true;
        return false;
    }

    private static Trajectory.Period exitThatCounts(Trajectory.Client client, Trajectory.Days days) {
        Trajectory.Period last = null;
        for (Trajectory.Period period : client.running.all) {
            if (period.end() == null || period.end() > days.last()) continue;
            Trajectory.Days that = new Trajectory.Days(period.end(), period.end());
            if (client.met(that, that) && (last == null || period.end() >= last.end())) last = period;
        }
        return last;
    }

    static int debtTiming(Standing found, Integer arrearsSince) {
        if (arrearsSince == null) return UNKNOWN;
        Trajectory.Days that = new Trajectory.Days(arrearsSince, arrearsSince);
        boolean ranThen = found.trajectory().clients.get(found.client()).running.all.stream()
                .anyMatch(period -> period.beforeEnd().meet(that));
        if (found.exitedOn() != null && arrearsSince >= found.exitedOn() && !ranThen) return AFTER_EXIT;
        Integer admittedOn = found.trajectory().admittedOn;
        if (admittedOn == null) return UNKNOWN;
        return arrearsSince < admittedOn ? BEFORE_ADMISSION : AFTER_ADMISSION;
    }
}
