package signaalwissel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The fold: a trajectory's facts in their order into what lasted when, and for whom. */
final class Trajectory {
    static final int ALWAYS = Integer.MAX_VALUE, EVER = Integer.MIN_VALUE;

    /** Days from 1970, both included; EVER and ALWAYS are open ends. */
    record Days(int first, int last) {
        boolean meet(Days other) {
            return Math.max(first, other.first) <= Math.min(last, other.last);
        }
    }

    /** Something that lasted; `end` is null while it lasts, `exitReason` -1 for a refusal. */
    record Period(int begin, Integer end, int exitReason) {
        Days throughEnd() {
            return new Days(begin, end == null ? ALWAYS : end);
        }

        Days beforeEnd() {
            return new Days(begin, end == null ? ALWAYS : end - 1);
        }
    }

    record Stay(byte[] address, Days days) { }

    final String id;
    final List<Client> clients = new ArrayList<>();
    final Map<Integer, Periods> services = new HashMap<>();
    final Periods monitoring = new Periods(), aftercare = new Periods();
    Facts.Counsellor counsellor;
    Integer admittedOn;

    /** A client of the trajectory; his BSN, birth date and surname count from the beginning, his addresses have days. */
    static final class Client {
        byte[] bsn, birthDate, surname;
        final List<Stay> stays = new ArrayList<>();
        final List<Days> member = new ArrayList<>();
        final Periods running = new Periods(), objections = new Periods();
        private boolean changed;

        void listed(Facts.Person told, int day, boolean applies) {
            if (told.bsn() != null && told.bsn().length > 0) bsn = told.bsn();
            if (told.birthDate() != null && told.birthDate().length > 0) birthDate = told.birthDate();
            if (told.surname() != null && told.surname().length > 0) surname = told.surname();
            if (member.isEmpty() || member.get(member.size() - 1).last() != ALWAYS)
                member.add(new Days(member.isEmpty() ? EVER : day, ALWAYS));
            if (applies && !changed) stays.clear();
            moved(told.address(), day);
        }

        void leftOut(int day) {
            if (!member.isEmpty() && member.get(member.size() - 1).last() == ALWAYS) {
                member.set(member.size() - 1, new Days(member.get(member.size() - 1).first(), day));
                moved(null, day);
            }
        }

        private void moved(byte[] address, int day) {
            Stay standing = stays.isEmpty() || stays.get(stays.size() - 1).days().last() != ALWAYS
                    ? null : stays.get(stays.size() - 1);
            if (standing != null && address != null && Arrays.equals(address, standing.address())) {
                if (standing.days().first() != EVER && day < standing.days().first()) {
                    stays.remove(stays.size() - 1);
                    endLast(day);
                    stays.add(new Stay(standing.address(), new Days(day, ALWAYS)));
                }
                return;
            }
            if (standing != null && standing.days().first() != EVER && day <= standing.days().first()) {
                stays.remove(stays.size() - 1);
                endLast(day);
            } else if (standing != null) {
                endLast(day);
            }
            if (address != null) stays.add(new Stay(address, new Days(stays.isEmpty() ? EVER : day, ALWAYS)));
        }

        private void endLast(int day) {
            Stay last = stays.get(stays.size() - 1);
            stays.set(stays.size() - 1, new Stay(last.address(), new Days(last.days().first(), day)));
        }

        boolean livedAt(byte[] address, Days days) {
            for (Stay stay : stays) if (Arrays.equals(stay.address(), address) && stay.days().meet(days)) return true;
            return false;
        }

        /** Whether two stretches meet on a day on which he was a client. */
        boolean met(Days one, Days other) {
            for (Days belonged : member)
                if (Math.max(Math.max(one.first(), other.first()), belonged.first())
                        <= Math.min(Math.min(one.last(), other.last()), belonged.last())) return true;
            return false;
        }
    }

    /** Folds beginnings and ends into periods. */
    static final class Periods {
        final List<Period> all = new ArrayList<>();

        void begin(int day) {
            if (!all.isEmpty() && all.get(all.size() - 1).end() == null) all.set(all.size() - 1, new Period(day, null, -1));
            else all.add(new Period(day, null, -1));
        }

        void beginFirst(int day) {
            if (all.isEmpty()) all.add(new Period(day, null, -1));
            else all.set(0, new Period(day, all.get(0).end(), all.get(0).exitReason()));
        }

        void end(int day, int exitReason) {
            if (all.isEmpty()) return;
            int mended = all.size() - 1;
            Period last = all.get(mended);
            if (last.end() == null && day < last.begin() && all.size() > 1) mended--;
            all.set(mended, new Period(all.get(mended).begin(), day, exitReason));
        }

        boolean endedByDeath() {
            boolean death = false;
            for (Period period : all) if (period.end() != null) death = period.exitReason() == Facts.DECEASED;
            return death;
        }
    }

    /** Fold facts, or null where they make no trajectory. */
    static Trajectory fold(String id, List<Facts.Fact> facts) {
        return Facts.stand(facts) ? new Trajectory(id, facts) : null;
    }

    private final List<Facts.Fact> listings = new ArrayList<>();

    private Trajectory(String id, List<Facts.Fact> facts) {
        this.id = id;
        for (Facts.Fact fact : facts) if (fact.lists()) listings.add(fact);
        int count = listings.stream().mapToInt(listing -> listing.clients().size()).max().orElse(0);
        for (int n = 0; n < count; n++) clients.add(new Client());
        for (Facts.Fact listing : listings) list(listing);
        for (Facts.Fact fact : facts) add(fact);
    }

    private void list(Facts.Fact listing) {
        boolean applies = listing.kind() == Facts.APPLIED;
        for (int n = 0; n < clients.size(); n++) {
            Client client = clients.get(n);
            client.changed |= !client.stays.isEmpty() && !applies;
            if (n < listing.clients().size()) client.listed(listing.clients().get(n), listing.occurredOn(), applies);
            else client.leftOut(listing.occurredOn());
        }
    }

    private void add(Facts.Fact fact) {
        int day = fact.occurredOn();
        if (fact.counsellor() != null) counsellor = fact.counsellor();
        switch (fact.kind()) {
            case Facts.ADMITTED -> admittedOn = day;
            case Facts.APPLIED -> clients.forEach(client -> client.running.beginFirst(day));
            case Facts.REOPENED -> clients.forEach(client -> client.running.begin(day));
            case Facts.EXITED -> exiting(fact).forEach(n -> clients.get(n).running.end(day, fact.exitReason()));
            case Facts.REFUSED -> exiting(fact).forEach(n -> clients.get(n).running.end(day, -1));
            case Facts.SERVICE_OPENED -> service(fact).begin(day);
            case Facts.SERVICE_CLOSED -> service(fact).end(day, -1);
            case Facts.MONITORING_STARTED -> monitoring.begin(day);
            case Facts.MONITORING_ENDED -> monitoring.end(day, -1);
            case Facts.AFTERCARE_STARTED -> aftercare.begin(day);
            case Facts.AFTERCARE_ENDED -> aftercare.end(day, -1);
            case Facts.OBJECTION_LODGED -> concerned(fact).forEach(n -> clients.get(n).objections.begin(day));
            case Facts.OBJECTION_WITHDRAWN -> concerned(fact).forEach(n -> clients.get(n).objections.end(day, -1));
            default -> { }
        }
    }

    private Periods service(Facts.Fact fact) {
        return fact.service() < 0 ? new Periods() : services.computeIfAbsent(fact.service(), n -> new Periods());
    }

    private Set<Integer> exiting(Facts.Fact fact) {
        Set<Integer> concerned = concerned(fact);
        if (fact.namesSomebody() || fact.concernsOneClient() || clients.size() == 1) return concerned;
        concerned.removeIf(n -> clients.get(n).running.endedByDeath());
        return concerned;
    }

    private Set<Integer> concerned(Facts.Fact fact) {
        Set<Integer> found = new HashSet<>();
        if (fact.client() >= 0) {
            if (fact.client() < clients.size()) found.add(fact.client());
        } else if (!fact.clients().isEmpty()) {
            for (Facts.Person person : fact.clients()) {
                Set<Integer> byBsn = withBsn(person.bsn());
                found.addAll(byBsn.isEmpty() ? otherwise(person) : byBsn);
            }
        } else if (fact.concernsOneClient()) {
            if (aloneBefore(fact)) found.add(0);
        } else {
            for (int n = 0; n < clients.size(); n++) found.add(n);
        }
        return found;
    }

    private boolean aloneBefore(Facts.Fact fact) {
        int most = 0;
        boolean any = false;
        for (Facts.Fact one : listings) {
            int order = Long.compare(one.sequence(), fact.sequence());
            if (order < 0 || order == 0 && one.eventId().compareTo(fact.eventId()) <= 0) {
                any = true;
                most = Math.max(most, one.clients().size());
            }
        }
        if (!any && !listings.isEmpty()) most = listings.get(0).clients().size();
        return most == 1;
    }

    private Set<Integer> withBsn(byte[] bsn) {
        Set<Integer> holders = new HashSet<>();
        if (bsn == null) return holders;
        for (int n = 0; n < clients.size(); n++)
            for (Facts.Person told : listedAt(n)) if (Arrays.equals(bsn, told.bsn())) holders.add(n);
        if (holders.size() > 1) holders.removeIf(n -> !Arrays.equals(bsn, clients.get(n).bsn));
        return holders;
    }

    private Set<Integer> otherwise(Facts.Person person) {
        Set<Integer> born = new HashSet<>();
        boolean knownBsn = false, knownBirthDate = false;
        for (int n = 0; n < clients.size(); n++)
            for (Facts.Person told : listedAt(n)) {
                knownBsn |= told.bsn() != null;
                knownBirthDate |= told.birthDate() != null;
                if (person.birthDate() != null && Arrays.equals(person.birthDate(), told.birthDate())) born.add(n);
            }
        if (clients.size() != 1) return born.size() == 1 ? born : new HashSet<>();
        boolean contradicts = person.bsn() != null && knownBsn || person.birthDate() != null && knownBirthDate;
        return born.isEmpty() && !contradicts ? new HashSet<>(Set.of(0)) : born;
    }

    private List<Facts.Person> listedAt(int position) {
        List<Facts.Person> told = new ArrayList<>();
        for (Facts.Fact one : listings) if (position < one.clients().size()) told.add(one.clients().get(position));
        return told;
    }
}
