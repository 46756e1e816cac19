package signaalwissel;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads Avro's primitive encodings from a byte array, field by field. */
public final class In {
    private final byte[] data;
    int at;

    public In(byte[] data, int at) {
        this.data = data;
        this.at = at;
    }

    long number() {
        long value = 0;
        int shift = 0;
        byte next;
        do {
            next = data[at++];
            value |= (long) (next & 0x7F) << shift;
            shift += 7;
        } while (next < 0);
        return value >>> 1 ^ -(value & 1);
    }

    int integer() {
        return Math.toIntExact(number());
    }

    byte[] binary() {
        int size = integer();
        at += size;
        return Arrays.copyOfRange(data, at - size, at);
    }

    String string() {
        int size = integer();
        at += size;
        return new String(data, at - size, size, StandardCharsets.UTF_8);
    }

    boolean flag() {
        byte value = data[at++];
        if (value != 0 && value != 1) throw new IllegalArgumentException("no boolean");
        return value == 1;
    }

    /** Whether a union of null and one other type holds the other. */
    boolean some() {
        int branch = integer();
        if (branch != 0 && branch != 1) throw new IllegalArgumentException("no such branch of the union");
        return branch == 1;
    }

    byte[] optionalBinary() {
        return some() ? binary() : null;
    }

    /** A union of null and a number that is never negative; -1 for null. */
    int optionalIndex() {
        return some() ? integer() : -1;
    }

    Integer optionalInteger() {
        return some() ? integer() : null;
    }

    void skip() {
        int size = integer();
        at += size;
    }

    int end() {
        return data.length;
    }
}
