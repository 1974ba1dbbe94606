# cmake -DCXX=g++ -DFLAGS="-std=c++20 -I include" -DSOURCES="path/*.hpp" -P compile.cmake
#
# Compiles each file that matches (nothing is written) and ends with all that went wrong. A header is compiled alone, as
# the first and only include of an empty unit. A source whose first line is "// expect: words" must not compile, and the
# compiler must say these words.
cmake_policy(VERSION 3.21)
separate_arguments(FLAGS UNIX_COMMAND "${FLAGS}")
separate_arguments(SOURCES UNIX_COMMAND "${SOURCES}")
file(GLOB files ${SOURCES})
if(NOT files)
  message(FATAL_ERROR "no file matches ${SOURCES}")
endif()

set(wrong "")
foreach(file IN LISTS files)
  if(file MATCHES "\\.hpp$")
    set(unit -x c++ -include ${file} /dev/null)
  else()
    set(unit ${file})
  endif()
  execute_process(COMMAND ${CXX} ${FLAGS} -fsyntax-only ${unit} RESULT_VARIABLE failed ERROR_VARIABLE said)
  file(STRINGS ${file} first LIMIT_COUNT 1)
  if(first MATCHES "^// expect: (.*)$")
    string(FIND "${said}" "${CMAKE_MATCH_1}" found)
    if(NOT failed)
      string(APPEND wrong "${file} compiles, and must not\n")
    elseif(found EQUAL -1)
      string(APPEND wrong "${file}: the compiler does not say \"${CMAKE_MATCH_1}\":\n${said}\n")
    endif()
  elseif(failed)
    string(APPEND wrong "${file} does not compile:\n${said}\n")
  endif()
endforeach()
if(wrong)
  message(NOTICE "${wrong}")  # as it is: FATAL_ERROR breaks lines
  message(FATAL_ERROR "see above")
endif()
