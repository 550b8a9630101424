import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** A node of OpenSearch with the plugins it cannot do without, run as source: java OpenSearchNode.java FOLDER. */
class OpenSearchNode extends Node {
    OpenSearchNode(Path folder) {
        super(
            InternalSettingsPreparer.prepareEnvironment(
                Settings.builder().put("path.home", folder).build(), Map.of(), folder, () -> "node"
            ),
            List.of(Netty4Plugin.class, CommonAnalysisPlugin.class, MapperExtrasPlugin.class),
            false
        );
    }

    public static void main(String[] arguments) throws Exception {
        Node node = new OpenSearchNode(Path.of(arguments[0]));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        node.start();
        Thread.currentThread().join();  // the node's own threads do not keep the process alive
    }
}
