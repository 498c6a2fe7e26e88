package echopulse;

import java.util.concurrent.ExecutorService;
import org.apache.flink.runtime.execution.Environment;

/**
 * Lets windows that end go first where processors are short: what a second later does as well has a lower priority.
 *
 * <p>That is the writing of snapshots and of the lake, and what comes before windows: events that wait in Kafka meanwhile
 * are caught up with. Java's priorities are the system's only under {@code -XX:ThreadPriorityPolicy=1}.
 */
final class Precedence {
    /** What these mean to the system is said by the TaskManager's options. */
    private static final int SNAPSHOTS = Thread.MIN_PRIORITY;

    private static final int BEFORE_WINDOWS = Thread.MIN_PRIORITY + 1;

    /** A task's threads for snapshots: one more than checkpoints at a time (Flink's StreamTask), which is one. */
    private static final int THREADS = 2;

    private Precedence() {}

    /** Puts the snapshots of a task, and its own thread too where {@code wholly}, behind windows. */
    static void behindWindows(Environment task, boolean wholly) {
        ExecutorService snapshots = task.getAsyncOperationsThreadPool();
        // Its threads stay, and the pool makes one for each of the first tasks that it gets: as many as it may have.
        for (int thread = 0; thread < THREADS; thread++) {
            snapshots.execute(() -> Thread.currentThread().setPriority(SNAPSHOTS));
        }
        if (wholly) {
            // Done once the task runs: a Python worker started before has its starter's priority.
            task.getMainMailboxExecutor()
                    .execute(() -> Thread.currentThread().setPriority(BEFORE_WINDOWS), "give way to windows");
        }
    }
}
