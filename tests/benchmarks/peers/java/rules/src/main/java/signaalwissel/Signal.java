package signaalwissel;

import java.util.Arrays;

/** A KeyedSignal of `resident-events`. The block from the partner on is passed on as it came, after a look at it. */
final class Signal {
    static final int SCHEMA = 102;
    private static final int HEADER = 5, REF = 16, KINDS = 11, AMOUNT = 6;

    final byte[] record;
    final byte[] ref;
    final int referenceDate, lastDay;
    final Facts.Person pseudonym;
    final byte[] id, municipality, partner;
    final int carriedAt;
    final Integer arrearsSince;

    Signal(byte[] record) {
        this.record = record;
        In in = new In(record, HEADER);
        ref = in.binary();
        referenceDate = in.integer();
        lastDay = in.integer();
        pseudonym = new Facts.Person(in.optionalBinary(), in.optionalBinary(), in.optionalBinary(), in.optionalBinary());
        id = in.binary();
        municipality = in.binary();
        carriedAt = in.at;
        partner = in.binary();
        int kind = in.integer();
        int amountAt = in.at;
        in.skip();
        boolean fits = ref.length == REF && kind >= 0 && kind < KINDS && in.at - amountAt <= AMOUNT + 1;
        arrearsSince = in.optionalInteger();
        in.optionalInteger();
        in.number();
        in.flag();
        in.flag();
        in.skip();
        if (!fits || in.at != record.length) throw new IllegalArgumentException("no KeyedSignal");
    }

    static int schemaOf(byte[] record) {
        return (record[1] & 0xFF) << 24 | (record[2] & 0xFF) << 16 | (record[3] & 0xFF) << 8 | record[4] & 0xFF;
    }

    byte[] key() {
        byte[] key = Arrays.copyOf(municipality, municipality.length + partner.length + id.length + 2);
        int at = municipality.length;
        key[at++] = '/';
        System.arraycopy(partner, 0, key, at, partner.length);
        at += partner.length;
        key[at++] = '/';
        System.arraycopy(id, 0, key, at, id.length);
        return key;
    }
}
