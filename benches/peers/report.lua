-- One line that a script can read. With PEERS_DELAY_MS each connection waits that long before its
-- next request.
local pause = tonumber(os.getenv("PEERS_DELAY_MS") or "")
if pause then
  function delay() return pause end
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT\t%d\t%.3f\t%d\t%d\t%d\t%d\t%d\n", summary.requests,
    summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    latency:percentile(99.9), latency.max, e.connect + e.read + e.write + e.status + e.timeout))
end
