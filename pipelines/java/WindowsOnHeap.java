package echopulse;

import java.util.List;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.state.CheckpointableKeyedStateBackend;
import org.apache.flink.runtime.state.OperatorStateBackend;
import org.apache.flink.runtime.state.StateBackend;

/**
 * Keeps what open windows hold on the heap, packed, and all other keyed state in RocksDB.
 *
 * <p>A view that moves on reads every slice of every key at once, and RocksDB serialises each and is asked through JNI:
 * that is twice the CPU of the job's windows. The ids that repeats are told by are many, small and asked for once, and
 * would not fit on a heap.
 */
final class WindowsOnHeap implements StateBackend {
    private static final long serialVersionUID = 1L;

    /** What Flink's table runtime calls the operators of window functions: WindowAggOperator, WindowRankOperator. */
    private static final String WINDOWS = "Window";

    /** Operators of tasks that can wait, besides those with keyed state: what reads Kafka, and what writes the lake. */
    private static final List<String> PATIENT = List.of("SourceOperator", "StreamingFileWriter");

    private final StateBackend heap;
    private final StateBackend rocksDb;

    WindowsOnHeap(StateBackend heap, StateBackend rocksDb) {
        this.heap = heap;
        this.rocksDb = rocksDb;
    }

    @Override
    public String getName() {
        return "windows on the heap, the rest in RocksDB";
    }

    @Override
    public <K> CheckpointableKeyedStateBackend<K> createKeyedStateBackend(KeyedStateBackendParameters<K> parameters)
            throws Exception {
        // The identifier is the operator's class, its id and the subtask.
        boolean windows = parameters.getOperatorIdentifier().startsWith(WINDOWS);
        Precedence.behindWindows(parameters.getEnv(), !windows);
        return windows
                ? new PackedBackend<>(heap.<K>createKeyedStateBackend(parameters))
                : rocksDb.createKeyedStateBackend(parameters);
    }

    @Override
    public OperatorStateBackend createOperatorStateBackend(OperatorStateBackendParameters parameters) throws Exception {
        if (PATIENT.stream().anyMatch(parameters.getOperatorIdentifier()::startsWith)) {
            Precedence.behindWindows(parameters.getEnv(), true);
        }
        return rocksDb.createOperatorStateBackend(parameters);
    }

    @Override
    public boolean useManagedMemory() {
        return true;
    }

    @Override
    public boolean supportsNoClaimRestoreMode() {
        return heap.supportsNoClaimRestoreMode() && rocksDb.supportsNoClaimRestoreMode();
    }

    @Override
    public boolean supportsSavepointFormat(SavepointFormatType format) {
        return heap.supportsSavepointFormat(format) && rocksDb.supportsSavepointFormat(format);
    }
}
