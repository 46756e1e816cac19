package signaalwissel;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;

/** The three records of a decided signal: route, decision and recent signal. Not thread-safe: one for each task. */
public final class Routing {
    /** What one signal becomes. */
    public record Routed(boolean followed, byte[] routeKey, byte[] route, byte[] decisionKey, byte[] decision,
                         byte[] ref, byte[] recent, byte[] routingId, byte[] time) { }

    private static final int ROUTED = 3, DECISION = 101, RECENT = 203;
    private static final int NO_HIT = 4;
    private static final int TRAJECTORY_FIELDS = 7, FINDING_FIELDS = 3, CAUSE_FIELDS = 4, SAID_FIELDS = 3;
    private static final String TEAM = "schuldhulpverlening";
    private static final byte[] NO_HIT_TEXT = utf8("Het signaal volgt de reguliere vroegsignalering.");
    private static final byte[][] TEXTS = {
        utf8("De inwoner heeft een lopend schuldhulptraject: de schuldhulpverlener neemt persoonlijk contact op."),
        utf8("De inwoner krijgt nazorg na een schuldhulptraject: de schuldhulpverlener neemt persoonlijk contact op."),
        utf8("De inwoner heeft nog begeleiding of wordt gevolgd na een schuldhulptraject: de schuldhulpverlener neemt"
                + " persoonlijk contact op."),
        utf8("De inwoner rondde in de afgelopen maanden een schuldhulptraject af: de schuldhulpverlener neemt persoonlijk"
                + " contact op."),
        utf8("Bij dit signaal is geen schuldhulptraject gevonden."),
        utf8("Het schuldhulptraject is langer geleden afgerond dan de termijn waarin de schuldhulpverlener contact opneemt."),
        utf8("Het schuldhulptraject is beëindigd zonder dat het is afgerond."),
        utf8("De aanvraag voor schuldhulp is afgewezen."),
        utf8("Op dit adres is een schuldhulptraject bekend, maar niet vast staat dat het om dezelfde inwoner gaat: het team"
                + " gaat dat na."),
        utf8("De inwoner heeft bezwaar gemaakt tegen de toets op schuldhulptrajecten."),
        utf8("De inwoner is overleden: er wordt geen contact opgenomen."),
    };
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final byte[] policy;
    private final Out out = new Out(), part = new Out();
    private long timeOf = -1;
    private byte[] time;

    public Routing(String policyVersion) {
        policy = utf8(policyVersion);
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    Routed of(Signal signal, byte[] matchKey, Rules.Verdict verdict, long recordTime) {
        long now = System.currentTimeMillis();
        byte[] routingId = utf8(HexFormat.of().formatHex(signal.ref) + "-0");
        byte[] followed = verdict.followed() ? followedTrajectory(signal, verdict.standing()) : null;
        byte[] key = signal.key();
        byte[] route = head(ROUTED, signal, routingId, verdict.followed(), verdict.followed() ? verdict.reason() : NO_HIT,
                verdict.followed() ? TEXTS[verdict.reason()] : NO_HIT_TEXT, now)
                .raw(followed == null ? new byte[TRAJECTORY_FIELDS] : followed).bytes();
        byte[] decision = decision(signal, matchKey, verdict, routingId, followed, now);
        byte[] routeKey = verdict.followed() ? trajectoryKey(signal, verdict.standing().trajectory().id) : key;
        return new Routed(verdict.followed(), routeKey, route, key, decision, signal.ref,
                recent(signal, matchKey, verdict, recordTime), routingId, timeText(now));
    }

    private Out head(int schema, Signal signal, byte[] routingId, boolean followed, int reason, byte[] text, long now) {
        return out.clear().header(schema).binary(routingId).binary(signal.id).binary(signal.municipality).number(0)
                .number(followed ? 0 : 1).number(reason).binary(text).binary(policy)
                .number(signal.referenceDate).number(now).raw(signal.record, signal.carriedAt, signal.record.length);
    }

    private byte[] decision(Signal signal, byte[] matchKey, Rules.Verdict verdict, byte[] routingId, byte[] followed, long now) {
        head(DECISION, signal, routingId, verdict.followed(), verdict.reason(), TEXTS[verdict.reason()], now);
        Rules.Standing standing = verdict.standing();
        if (followed != null) out.raw(followed);
        else if (standing == null) out.none(TRAJECTORY_FIELDS);
        else out.optionalString(standing.trajectory().id).none(1).optionalNumber(standing.client()).none(4);
        if (verdict.matchedBy() < 0) {
            out.none(FINDING_FIELDS);
        } else {
            out.number(1).number(verdict.matchedBy());
            if (verdict.named()) out.number(1).number(0);
            else out.none(1);
            if (!verdict.candidates().isEmpty()) {
                out.number(verdict.candidates().size());
                for (Rules.Candidate one : verdict.candidates()) out.string(one.trajectoryId()).number(one.client());
            }
            out.none(1);
        }
        return out.binary(matchKey).number(signal.lastDay).none(CAUSE_FIELDS).bytes();
    }

    private byte[] followedTrajectory(Signal signal, Rules.Standing standing) {
        Facts.Counsellor counsellor = standing.trajectory().counsellor;
        part.clear().optionalString(standing.trajectory().id).optionalNumber(standing.state())
                .optionalNumber(standing.client());
        if (counsellor == null) part.none(1);
        else part.number(1).string(counsellor.id()).string(counsellor.team());
        return part.optionalString(counsellor == null ? TEAM : counsellor.team())
                .optionalNumber(standing.windowEndsOn())
                .optionalNumber(Rules.debtTiming(standing, signal.arrearsSince)).bytes();
    }

    private byte[] recent(Signal signal, byte[] matchKey, Rules.Verdict verdict, long recordTime) {
        out.clear().header(RECENT).binary(matchKey).number(recordTime).number(0).binary(policy)
                .number(verdict.followed() ? 0 : 1)
                .optionalString(verdict.followed() ? verdict.standing().trajectory().id : null)
                .flag(verdict.reason() == Rules.ADDRESS_ONLY_MATCH).flag(!verdict.followed()).flag(false);
        return out.none(SAID_FIELDS).binary(signal.record).bytes();
    }

    private static byte[] trajectoryKey(Signal signal, String trajectoryId) {
        return utf8(new String(signal.municipality, StandardCharsets.UTF_8) + "/" + trajectoryId);
    }

    private byte[] timeText(long now) {
        if (now != timeOf) {
            time = utf8(TIME.format(Instant.ofEpochMilli(now)));
            timeOf = now;
        }
        return time;
    }
}
