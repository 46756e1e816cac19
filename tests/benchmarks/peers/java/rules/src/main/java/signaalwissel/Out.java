package signaalwissel;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes Avro's primitive encodings into a buffer that grows; used again for every record of a thread. */
final class Out {
    private byte[] buffer = new byte[2048];
    private int size;

    Out clear() {
        size = 0;
        return this;
    }

    byte[] bytes() {
        return Arrays.copyOf(buffer, size);
    }

    Out header(int schema) {
        room(5);
        buffer[size++] = 0;
        for (int shift = 24; shift >= 0; shift -= 8) buffer[size++] = (byte) (schema >>> shift);
        return this;
    }

    Out number(long value) {
        room(10);
        long rest = value << 1 ^ value >> 63;
        while ((rest & ~0x7FL) != 0) {
            buffer[size++] = (byte) (rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        buffer[size++] = (byte) rest;
        return this;
    }

    Out raw(byte[] value, int from, int to) {
        room(to - from);
        System.arraycopy(value, from, buffer, size, to - from);
        size += to - from;
        return this;
    }

    Out raw(byte[] value) {
        return raw(value, 0, value.length);
    }

    Out binary(byte[] value) {
        return number(value.length).raw(value);
    }

    Out string(String value) {
        return binary(value.getBytes(StandardCharsets.UTF_8));
    }

    Out flag(boolean value) {
        return number(value ? -1 : 0);
    }

    Out none(int times) {
        room(times);
        for (int n = 0; n < times; n++) buffer[size++] = 0;
        return this;
    }

    Out optionalString(String value) {
        return value == null ? none(1) : number(1).string(value);
    }

    Out optionalNumber(Integer value) {
        return value == null ? none(1) : number(1).number(value);
    }

    private void room(int more) {
        if (size + more > buffer.length) buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, size + more));
    }
}
