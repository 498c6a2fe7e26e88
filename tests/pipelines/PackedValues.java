package echopulse;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.LinkedList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.typeutils.base.ListSerializer;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.runtime.state.internal.InternalValueState;

/** Updates a packed state by linked lists of so many numbers as each argument says, and says what its heap keeps. */
public final class PackedValues {
    private static final ListSerializer<Long> LISTS = new ListSerializer<>(LongSerializer.INSTANCE);

    /** What the heap was given, in this order. */
    private final List<Object> kept = new ArrayList<>();

    public static void main(String[] lengths) throws Exception {
        PackedValues all = new PackedValues();
        PackedValueState<String, String, List<Long>> state = new PackedValueState<>(all.heap());
        for (String length : lengths) {
            List<Long> given = new LinkedList<>();
            for (long number = 0; number < Integer.parseInt(length); number++) {
                given.add(number);
            }
            state.update(given);
            given.add(-1L);
        }
        state.update(null);
        for (Object value : all.kept) {
            String kind = Optional.ofNullable(value).map(held -> held.getClass().getSimpleName()).orElse("-");
            System.out.println(kind + " " + value);
        }
        System.out.println(state.value());
    }

    @SuppressWarnings("unchecked")
    private InternalValueState<String, String, List<Long>> heap() {
        return (InternalValueState<String, String, List<Long>>) Proxy.newProxyInstance(
                PackedValues.class.getClassLoader(), new Class<?>[] {InternalValueState.class}, (self, called, with) -> {
                    switch (called.getName()) {
                        case "getValueSerializer":
                            return LISTS;
                        case "update":
                            kept.add(with[0]);
                            return null;
                        case "value":
                            return kept.get(0);
                        default:
                            throw new UnsupportedOperationException(called.getName());
                    }
                });
    }
}
