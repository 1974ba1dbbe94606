# cmake -DTOOL=memcheck -DWANTED=clean|caught -DSANITIZER=<compute-sanitizer> -DREHEARSAL=<bool> -P sanitize.cmake --
#       PROGRAM [ARGUMENT...]
# Runs the program under a tool of compute-sanitizer, which must find nothing, or the mistake that is there. In a
# rehearsal the program runs on the emulator, and says by itself what was found: with the same exit status. Where the
# tool cannot look, the last line begins with "not tested: ".
set(program)
set(own TRUE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(NOT own)
    list(APPEND program "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(own FALSE)
  endif()
endforeach()

set(found 86)
set(command ${SANITIZER} --tool ${TOOL} --error-exitcode ${found} --print-limit 20)
if(TOOL STREQUAL "memcheck")
  # the library asks the driver what it may refuse, and looks at each answer itself
  list(APPEND command --report-api-errors no)
elseif(TOOL MATCHES "racecheck|synccheck")
  # what these find lies within one kernel: cublasLt's are not judged here
  list(APPEND command --kernel-name kernel_substring=gradus_)
endif()
if(REHEARSAL)
  set(command)
elseif(NOT SANITIZER)
  message("not tested: compute-sanitizer is not here (it is a part of the CUDA toolkit)")
  return()
endif()
execute_process(COMMAND ${command} ${program} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
message("${said}")

set(none "SUMMARY: 0 (errors|hazards)")
if(said MATCHES "Device not supported")
  message("not tested: compute-sanitizer does not support this device, or not in this machine")
elseif(WANTED STREQUAL "clean" AND NOT (status EQUAL 0 AND (REHEARSAL OR said MATCHES "${none}")))
  message(FATAL_ERROR "${TOOL}: expected \"${none}\" and exit status 0, which is ${status}")
elseif(WANTED STREQUAL "caught" AND NOT status EQUAL found)
  message(FATAL_ERROR "${TOOL}: expected the planted mistake to be found, exit status ${found}; it is ${status}")
endif()
