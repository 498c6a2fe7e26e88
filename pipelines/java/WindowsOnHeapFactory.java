package echopulse;

import java.io.IOException;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.StateBackendFactory;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackendFactory;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackendFactory;

/** Makes {@link WindowsOnHeap} from Flink's own settings of both back ends; named by {@code state.backend.type}. */
public final class WindowsOnHeapFactory implements StateBackendFactory<StateBackend> {
    @Override
    public StateBackend createFromConfig(ReadableConfig config, ClassLoader loader) throws IOException {
        return new WindowsOnHeap(
                new HashMapStateBackendFactory().createFromConfig(config, loader),
                new EmbeddedRocksDBStateBackendFactory().createFromConfig(config, loader));
    }
}
