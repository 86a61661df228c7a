-- The load, for wrk: what to send comes through the environment, the figures go out as JSON.

local depth = tonumber(os.getenv("BENCH_DEPTH"))
local variants = tonumber(os.getenv("BENCH_VARIANTS"))

wrk.method = os.getenv("BENCH_METHOD")
wrk.body = os.getenv("BENCH_BODY")

-- Without a function `request`, wrk prepares its request once: cheapest for wrk.
if depth > 1 then
   local batch

   function init(args)
      batch = wrk.format():rep(depth)
   end

   function request()
      return batch
   end
elseif variants > 1 then
   local prepared, last = {}, 0

   function init(args)
      for number = 1, variants do
         wrk.headers["Referer"] = "http://localhost/elsewhere?page=" .. number
         prepared[number] = wrk.format()
      end
   end

   function request()
      last = last % variants + 1
      return prepared[last]
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.stderr:write(string.format(
      '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "failed": %d, "refused": %d}\n',
      summary.requests,
      summary.duration / 1e6,
      latency:percentile(50),
      latency:percentile(99),
      errors.connect + errors.read + errors.write + errors.timeout,
      errors.status
   ))
end
