package org.tfflow.demo;

import android.app.Activity;
import android.content.ClipData;
import android.content.ClipboardManager;
import android.content.Context;
import android.content.Intent;
import android.os.Build;
import android.os.Bundle;
import android.util.Log;
import android.view.View;
import android.widget.TextView;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.network.EngineLadder;
import org.tfflow.core.pipeline.Benchmark;
import org.tfflow.core.pipeline.FlowPipelineOptions;
import org.tfflow.litert.Choice;
import org.tfflow.litert.FlowModels;

/** The second screen: each accelerator's times, as a text to be copied or shared. */
public final class BenchmarkActivity extends Activity {
    /** The name of the network to measure, in the intent; the first one without. */
    static final String NETWORK = "network";

    private static final String REPORT = "report"; // in the saved state
    private static final int WARM_UP = 20; // frames
    private static final int RUNS = 100; // frames
    private static final int WIDTH = 640; // px, as the camera gives it
    private static final int HEIGHT = 480;
    private static final FlowPipelineOptions OPTIONS =
            FlowPipelineOptions.standard().withFit(Fit.LETTERBOX).withMaxFlow(30).withFastColors();

    private TextView text;
    private View copy;
    private View share;
    private @Nullable Thread thread; // null: the report was there already
    private boolean done;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.benchmark);
        text = findViewById(R.id.report);
        copy = findViewById(R.id.copy);
        share = findViewById(R.id.share);
        copy.setOnClickListener(button -> copy());
        share.setOnClickListener(button -> share());
        String report = state == null ? null : state.getString(REPORT);
        if (report != null) { // the phone was turned, or the app ended behind another one
            text.setText(report);
            setReady(true);
        }
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        if (done) {
            state.putString(REPORT, text.getText().toString());
        }
    }

    @Override
    protected void onStart() {
        super.onStart();
        if (done) { // it comes back from where it was shared
            return;
        }
        setReady(false);
        thread = new Thread(this::measure, "benchmark");
        thread.start();
    }

    private void measure() {
        try {
            FlowModels models = new FlowModels(this);
            String wanted = getIntent().getStringExtra(NETWORK);
            String network = wanted == null ? models.names().get(0) : wanted;
            // Turned as most phones' cameras are.
            Orientation orientation = Orientation.of(90, false);
            String report =
                    new Benchmark(models.attempts(), OPTIONS, WARM_UP, RUNS)
                            .run(
                                    heading(network),
                                    models.rungs(network, Choice.BEST),
                                    Benchmark.frames(WIDTH, HEIGHT, orientation),
                                    this::show);
            show(report);
            runOnUiThread(() -> setReady(true));
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt(); // the screen was left
        } catch (RuntimeException | LinkageError | OutOfMemoryError error) {
            Log.e("tfflow", "the benchmark failed", error);
            show(EngineLadder.reason(error));
        }
    }

    private static String heading(String network) {
        return "tfflow " + network + "\n"
                + Build.MANUFACTURER + " " + Build.MODEL + ", Android " + Build.VERSION.RELEASE
                + " (API " + Build.VERSION.SDK_INT + ")\n"
                + "frames of " + WIDTH + " x " + HEIGHT + ", turned by 90 degrees";
    }

    private void show(String report) {
        runOnUiThread(() -> text.setText(report));
    }

    private void setReady(boolean ready) {
        done = ready;
        copy.setEnabled(ready);
        share.setEnabled(ready);
    }

    private void copy() {
        ClipboardManager board = (ClipboardManager) getSystemService(Context.CLIPBOARD_SERVICE);
        board.setPrimaryClip(ClipData.newPlainText("tfflow", text.getText()));
    }

    private void share() {
        Intent intent = new Intent(Intent.ACTION_SEND);
        intent.setType("text/plain");
        intent.putExtra(Intent.EXTRA_TEXT, text.getText().toString());
        startActivity(Intent.createChooser(intent, getString(R.string.share)));
    }

    @Override
    protected void onStop() {
        if (thread != null) {
            thread.interrupt(); // times in the background mean nothing
        }
        super.onStop();
    }
}
