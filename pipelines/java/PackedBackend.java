package echopulse;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.RunnableFuture;
import java.util.stream.Stream;
import org.apache.flink.api.common.state.State;
import org.apache.flink.api.common.state.StateDescriptor;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.checkpoint.CheckpointOptions;
import org.apache.flink.runtime.state.CheckpointStreamFactory;
import org.apache.flink.runtime.state.CheckpointableKeyedStateBackend;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupedInternalPriorityQueue;
import org.apache.flink.runtime.state.Keyed;
import org.apache.flink.runtime.state.KeyedStateFunction;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.PriorityComparable;
import org.apache.flink.runtime.state.SavepointResources;
import org.apache.flink.runtime.state.SnapshotResult;
import org.apache.flink.runtime.state.StateSnapshotTransformer.StateSnapshotTransformFactory;
import org.apache.flink.runtime.state.heap.HeapPriorityQueueElement;
import org.apache.flink.runtime.state.internal.InternalValueState;

/** A back end on the heap whose values by key are {@link PackedValueState}s; all else is its own. */
final class PackedBackend<K> implements CheckpointableKeyedStateBackend<K> {
    private final CheckpointableKeyedStateBackend<K> heap;

    PackedBackend(CheckpointableKeyedStateBackend<K> heap) {
        this.heap = heap;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <N, S extends State, T> S getOrCreateKeyedState(
            TypeSerializer<N> namespaces, StateDescriptor<S, T> descriptor) throws Exception {
        S state = heap.getOrCreateKeyedState(namespaces, descriptor);
        return state instanceof InternalValueState
                ? (S) new PackedValueState<>((InternalValueState<K, N, T>) state)
                : state;
    }

    @Override
    public void setCurrentKey(K key) {
        heap.setCurrentKey(key);
    }

    @Override
    public K getCurrentKey() {
        return heap.getCurrentKey();
    }

    @Override
    public void setCurrentKeyAndKeyGroup(K key, int keyGroup) {
        heap.setCurrentKeyAndKeyGroup(key, keyGroup);
    }

    @Override
    public TypeSerializer<K> getKeySerializer() {
        return heap.getKeySerializer();
    }

    @Override
    public <N, S extends State, T> void applyToAllKeys(
            N namespace,
            TypeSerializer<N> namespaces,
            StateDescriptor<S, T> descriptor,
            KeyedStateFunction<K, S> function)
            throws Exception {
        heap.applyToAllKeys(namespace, namespaces, descriptor, function);
    }

    @Override
    public <N> Stream<K> getKeys(String state, N namespace) {
        return heap.getKeys(state, namespace);
    }

    @Override
    public <N> Stream<K> getKeys(List<String> states, N namespace) {
        return heap.getKeys(states, namespace);
    }

    @Override
    public <N> Stream<Tuple2<K, N>> getKeysAndNamespaces(String state) {
        return heap.getKeysAndNamespaces(state);
    }

    @Override
    public <N, S extends State> S getPartitionedState(
            N namespace, TypeSerializer<N> namespaces, StateDescriptor<S, ?> descriptor) throws Exception {
        return heap.getPartitionedState(namespace, namespaces, descriptor);
    }

    @Override
    public void registerKeySelectionListener(KeySelectionListener<K> listener) {
        heap.registerKeySelectionListener(listener);
    }

    @Override
    public boolean deregisterKeySelectionListener(KeySelectionListener<K> listener) {
        return heap.deregisterKeySelectionListener(listener);
    }

    @Override
    public boolean isSafeToReuseKVState() {
        return heap.isSafeToReuseKVState();
    }

    @Override
    public String getBackendTypeIdentifier() {
        return heap.getBackendTypeIdentifier();
    }

    @Override
    public <N, SV, SEV, S extends State, IS extends S> IS createOrUpdateInternalState(
            TypeSerializer<N> namespaces,
            StateDescriptor<S, SV> descriptor,
            StateSnapshotTransformFactory<SEV> snapshots)
            throws Exception {
        return heap.createOrUpdateInternalState(namespaces, descriptor, snapshots);
    }

    @Override
    public <N, SV, SEV, S extends State, IS extends S> IS createOrUpdateInternalState(
            TypeSerializer<N> namespaces,
            StateDescriptor<S, SV> descriptor,
            StateSnapshotTransformFactory<SEV> snapshots,
            boolean allowFutureMetadataUpdates)
            throws Exception {
        return heap.createOrUpdateInternalState(namespaces, descriptor, snapshots, allowFutureMetadataUpdates);
    }

    @Override
    public <T extends HeapPriorityQueueElement & PriorityComparable<? super T> & Keyed<?>>
            KeyGroupedInternalPriorityQueue<T> create(String name, TypeSerializer<T> elements) {
        return heap.create(name, elements);
    }

    @Override
    public <T extends HeapPriorityQueueElement & PriorityComparable<? super T> & Keyed<?>>
            KeyGroupedInternalPriorityQueue<T> create(
                    String name, TypeSerializer<T> elements, boolean allowFutureMetadataUpdates) {
        return heap.create(name, elements, allowFutureMetadataUpdates);
    }

    @Override
    public RunnableFuture<SnapshotResult<KeyedStateHandle>> snapshot(
            long checkpointId, long timestamp, CheckpointStreamFactory streams, CheckpointOptions options)
            throws Exception {
        return heap.snapshot(checkpointId, timestamp, streams, options);
    }

    @Override
    public SavepointResources<K> savepoint() throws Exception {
        return heap.savepoint();
    }

    @Override
    public KeyGroupRange getKeyGroupRange() {
        return heap.getKeyGroupRange();
    }

    @Override
    public void dispose() {
        heap.dispose();
    }

    @Override
    public void close() throws IOException {
        heap.close();
    }
}
