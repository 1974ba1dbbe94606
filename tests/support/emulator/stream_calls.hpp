// SPDX-License-Identifier: MIT
// cuStream*, cuEvent* and cuGraph*.
#pragma once

#include <cuda.h>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/emulator/devices.hpp"
#include "tests/support/emulator/graph.hpp"
#include "tests/support/emulator/stream.hpp"

namespace gradus::test::emulator {

/// The capture in progress that forbids this thread what would disturb it; nullptr: none.
inline Capture* capture_in_the_way() {
  for (const auto& c : streams().captures)
    if (!c->any_thread && c->thread == std::this_thread::get_id()) return c.get();
  return nullptr;
}
/// CUDA_SUCCESS, or the error of a call that must not be made while capturing. The capture is lost then.
inline CUresult outside_capture(const char* who) {
  Capture* const capture = capture_in_the_way();
  if (!capture) return CUDA_SUCCESS;
  capture->broken = true;
  found(who, ": called while a stream is capturing");
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

/// The stream of a handle. *stream stays nullptr where the call must fail with the result.
inline CUresult stream_of(CUstream handle, const char* who, Stream** stream) {
  if (handle == nullptr || handle == CU_STREAM_LEGACY || handle == CU_STREAM_PER_THREAD) {
    found(who, ": uses the legacy default stream");
    if (Capture* const capture = capture_in_the_way()) {
      capture->broken = true;
      return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
    }
    const int here = std::max(0, current_device());
    Stream*& legacy = streams().legacy[here];
    if (!legacy) streams().all.insert(legacy = new Stream(here));
    *stream = legacy;
    return CUDA_SUCCESS;
  }
  auto* const s = reinterpret_cast<Stream*>(handle);
  if (!streams().all.count(s)) {
    found(who, ": a stream that does not exist");
    return CUDA_ERROR_INVALID_HANDLE;
  }
  if (s->device != current_device()) {
    found(who, ": a stream of device ", s->device, " while device ", current_device(), " is current");
    return CUDA_ERROR_INVALID_HANDLE;
  }
  if (s->capture && s->capture->broken) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  *stream = s;
  return CUDA_SUCCESS;
}

inline CUresult stream_create(CUstream* handle, unsigned) {
  auto* const s = new Stream(current_device());
  streams().all.insert(s);
  *handle = reinterpret_cast<CUstream>(s);
  return CUDA_SUCCESS;
}
/// What is in its queue still runs.
inline CUresult stream_destroy(CUstream handle) {
  auto* const s = reinterpret_cast<Stream*>(handle);
  if (!streams().all.count(s)) return CUDA_ERROR_INVALID_HANDLE;
  if (s->capture) {
    if (s == s->capture->origin)
      end_capture(*s->capture);
    else
      s->capture->broken = true, std::erase(s->capture->members, s);
  }
  drain_all();
  streams().host.join(s->clock);
  streams().all.erase(s);
  delete s;
  return CUDA_SUCCESS;
}

/// Whether something that was synchronised with came to a bad end.
inline CUresult health() { return counters().lost; }

inline CUresult stream_synchronize(CUstream handle) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuStreamSynchronize", &s); error) return error;
  if (s->capture) {
    s->capture->broken = true;
    found("cuStreamSynchronize: called while the stream is capturing");
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  drain(*s);
  streams().host.join(s->clock);
  return health();
}

inline CUresult stream_begin_capture(CUstream handle, CUstreamCaptureMode mode) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuStreamBeginCapture", &s); error) return error;
  if (s == streams().legacy[s->device]) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (s->capture) return CUDA_ERROR_ILLEGAL_STATE;
  begin_capture(*s, mode == CU_STREAM_CAPTURE_MODE_RELAXED);
  return CUDA_SUCCESS;
}
inline CUresult stream_end_capture(CUstream handle, CUgraph* result) {
  auto* const s = reinterpret_cast<Stream*>(handle);
  *result = nullptr;
  if (!streams().all.count(s)) return CUDA_ERROR_INVALID_HANDLE;
  if (!s->capture) return CUDA_ERROR_ILLEGAL_STATE;
  Capture& capture = *s->capture;
  if (injected()) {  // here and not in Entry: the capture ends, though there is no graph
    counters().failed = "cuStreamEndCapture";
    end_capture(capture);
    return CUDA_ERROR_UNKNOWN;
  }
  if (capture.origin != s) return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  if (!capture.any_thread && capture.thread != std::this_thread::get_id())
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  const bool broken = capture.broken, whole = joined(capture);
  std::shared_ptr<Graph> graph = end_capture(capture);
  if (broken) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (!whole) {
    found("cuStreamEndCapture: a stream that forked from the capture was never joined");
    return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
  }
  *result = reinterpret_cast<CUgraph>(new std::shared_ptr<Graph>(std::move(graph)));
  return CUDA_SUCCESS;
}
inline CUresult stream_is_capturing(CUstream handle, CUstreamCaptureStatus* status) {
  auto* const s = reinterpret_cast<Stream*>(handle);
  if (!streams().all.count(s)) return CUDA_ERROR_INVALID_HANDLE;
  *status = !s->capture          ? CU_STREAM_CAPTURE_STATUS_NONE
            : s->capture->broken ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                 : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  return CUDA_SUCCESS;
}

inline CUresult event_create(CUevent* handle, unsigned flags) {
  auto* const e = new Event;
  e->timed = !(flags & CU_EVENT_DISABLE_TIMING), e->device = current_device();
  streams().events.insert(e);
  *handle = reinterpret_cast<CUevent>(e);
  return CUDA_SUCCESS;
}
inline Event* event_of(CUevent handle, const char* who) {
  auto* const e = reinterpret_cast<Event*>(handle);
  if (streams().events.count(e)) return e;
  found(who, ": an event that does not exist");
  return nullptr;
}
inline CUresult event_destroy(CUevent handle) {
  auto* const e = reinterpret_cast<Event*>(handle);
  if (streams().events.erase(e) == 0) return CUDA_ERROR_INVALID_HANDLE;
  delete e;
  return CUDA_SUCCESS;
}
inline CUresult event_record(CUevent handle, CUstream stream) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(stream, "cuEventRecord", &s); error) return error;
  Event* const e = event_of(handle, "cuEventRecord");
  if (!e || e->device != s->device) return CUDA_ERROR_INVALID_HANDLE;
  e->recorded = true, e->stream = s;
  if (s->capture) {
    e->graph = s->capture->graph, e->frontier = s->frontier, e->branch_clock = s->branch_clock;
    return CUDA_SUCCESS;
  }
  e->graph = nullptr, e->at = std::make_shared<double>(-1);
  push(*s, "an event", [at = e->at] { *at = milliseconds(); });
  e->until = s->pushed, e->clock = s->clock;
  return CUDA_SUCCESS;
}
inline CUresult event_synchronize(CUevent handle) {
  Event* const e = event_of(handle, "cuEventSynchronize");
  if (!e) return CUDA_ERROR_INVALID_HANDLE;
  if (!e->recorded) return CUDA_SUCCESS;
  if (e->graph) {
    for (const auto& c : streams().captures)
      if (c->graph == e->graph) c->broken = true;
    found("cuEventSynchronize: the event was recorded while its stream was capturing");
    return CUDA_ERROR_CAPTURED_EVENT;
  }
  if (streams().all.count(e->stream)) drain(*e->stream, e->until);
  streams().host.join(e->clock);
  return health();
}
inline CUresult event_elapsed_time(float* result, CUevent from, CUevent to) {
  Event *const a = event_of(from, "cuEventElapsedTime"), *const b = event_of(to, "cuEventElapsedTime");
  if (!a || !b || !a->recorded || !b->recorded || !a->timed || !b->timed) return CUDA_ERROR_INVALID_HANDLE;
  if (a->graph || b->graph) return CUDA_ERROR_CAPTURED_EVENT;
  if (*a->at < 0 || *b->at < 0) return CUDA_ERROR_NOT_READY;
  *result = static_cast<float>(*b->at - *a->at);
  return CUDA_SUCCESS;
}
inline CUresult wait_in_capture(Stream& s, const Event& e) {
  for (const auto& c : streams().captures) {
    if (c->graph != e.graph) continue;
    if (s.capture && s.capture != c.get()) return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    join_capture(s, *c, e);
    return CUDA_SUCCESS;
  }
  found("cuStreamWaitEvent: the event belongs to a capture that has ended");
  return CUDA_ERROR_CAPTURED_EVENT;
}
inline CUresult stream_wait_event(CUstream stream, CUevent handle, unsigned) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(stream, "cuStreamWaitEvent", &s); error) return error;
  Event* const e = event_of(handle, "cuStreamWaitEvent");
  if (!e) return CUDA_ERROR_INVALID_HANDLE;
  if (!e->recorded) return CUDA_SUCCESS;
  if (e->graph) return wait_in_capture(*s, *e);
  if (s->capture) {
    s->capture->broken = true;
    found("cuStreamWaitEvent: a capturing stream waits for an event from outside the capture");
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  }
  s->clock.join(e->clock);
  if (e->stream != s && streams().all.count(e->stream)) enqueue(*s, {{}, {}, e->stream, e->until});
  return CUDA_SUCCESS;
}

inline CUresult graph_instantiate(CUgraphExec* result, CUgraph graph, unsigned long long) {
  if (!graph) return CUDA_ERROR_INVALID_VALUE;
  *result = reinterpret_cast<CUgraphExec>(new Executable(*reinterpret_cast<std::shared_ptr<Graph>*>(graph)));
  return CUDA_SUCCESS;
}
inline CUresult graph_launch(CUgraphExec executable, CUstream handle) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuGraphLaunch", &s); error) return error;
  if (!executable) return CUDA_ERROR_INVALID_VALUE;
  if (s->capture) {
    s->capture->broken = true;
    found("cuGraphLaunch: the emulator replays no graph into another capture");
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  launch_graph(*reinterpret_cast<Executable*>(executable), *s);
  return CUDA_SUCCESS;
}
inline CUresult graph_exec_destroy(CUgraphExec executable) {
  delete reinterpret_cast<Executable*>(executable);  // replays in a queue hold the graph
  return CUDA_SUCCESS;
}
inline CUresult graph_destroy(CUgraph graph) {
  delete reinterpret_cast<std::shared_ptr<Graph>*>(graph);
  return CUDA_SUCCESS;
}

}  // namespace gradus::test::emulator
