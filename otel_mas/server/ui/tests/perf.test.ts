import { readFileSync, existsSync } from "node:fs";
import { expect, it } from "vitest";
import { Run } from "../src/model/run";
import { timeScale } from "../src/model/timescale";
import { layout } from "../src/model/layout";
import { scene } from "../src/views/run/picture/scene";
it("perf", { timeout: 60000 }, () => {
  for (const f of ["/tmp/page/p10000.json", "/tmp/page/p100000.json"]) {
    if (!existsSync(f)) continue;
    const text = readFileSync(f, "utf8");
    for (let k = 0; k < 3; k++) {
      const t0 = performance.now(); const doc = JSON.parse(text);
      const t1 = performance.now(); const run = Run.fromDocument(doc);
      const t2 = performance.now(); const s = timeScale(run, 0);
      const t3 = performance.now(); layout(run, s, 0, 1000);
      const t4 = performance.now(); scene(run, 0, 1000);
      const t5 = performance.now();
      process.stdout.write(`${f} parse ${(t1-t0)|0} run ${(t2-t1)|0} scale ${(t3-t2)|0} layout ${(t4-t3)|0} scene ${(t5-t4)|0}\n`);
    }
  }
  expect(1).toBe(1);
});
