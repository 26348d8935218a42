import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** What the Java machine takes from malloc: threads, compiled code, direct buffers, zlib's state. */
public final class Threads {
    /** One unit of work: its result depends on its number only. */
    private static byte[] unit(int number) throws Exception {
        Map<String, List<Integer>> index = new TreeMap<>();
        long state = number;
        for (int i = 0; i < 2000; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            index.computeIfAbsent("k" + (state >>> 54), k -> new ArrayList<>()).add(i);
        }
        byte[] text = index.toString().getBytes("UTF-8");
        ByteBuffer direct = ByteBuffer.allocateDirect(text.length);
        direct.put(text).flip();

        Deflater deflater = new Deflater(6);
        deflater.setInput(direct);
        deflater.finish();
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        byte[] chunk = new byte[4096];
        while (!deflater.finished()) packed.write(chunk, 0, deflater.deflate(chunk));
        deflater.end();

        Inflater inflater = new Inflater();
        inflater.setInput(packed.toByteArray());
        byte[] back = new byte[text.length];
        int length = 0;
        while (!inflater.finished()) length += inflater.inflate(back, length, back.length - length);
        inflater.end();
        if (!java.util.Arrays.equals(text, back)) throw new IllegalStateException("inflate gave other bytes");
        return MessageDigest.getInstance("SHA-256").digest(back);
    }

    public static void main(String[] arguments) throws Exception {
        int units = Integer.parseInt(arguments[0]);
        MessageDigest all = MessageDigest.getInstance("SHA-256");
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<byte[]>> results = new ArrayList<>();
        for (int i = 0; i < units; i++) {
            int number = i;
            results.add(pool.submit((Callable<byte[]>) () -> unit(number)));
        }
        for (Future<byte[]> result : results) all.update(result.get());
        pool.shutdown();

        int born = 0;
        for (int i = 0; i < units; i++) {
            Thread thread = new Thread(() -> { ByteBuffer.allocateDirect(1 << 12).putLong(1); });
            thread.start();
            thread.join();
            born++;
        }
        System.out.println(HexFormat.of().formatHex(all.digest()) + " " + born);
    }
}
