# cmake -DCXX=g++ -DFLAGS="-std=c++20 -I include" -P instruction_sets.cmake      (x86 only)
#
# Two units of one instruction set make a program that runs; of two, one that says so and ends with 2 before main().
cmake_policy(VERSION 3.21)
separate_arguments(FLAGS UNIX_COMMAND "${FLAGS}")
set(sources ${CMAKE_CURRENT_LIST_DIR}/instruction_sets)

function(build program one two)  # one, two: the flags of each unit, in the order of linking
  set(objects)
  foreach(unit one two)
    execute_process(COMMAND ${CXX} ${FLAGS} ${${unit}} -c ${sources}/${unit}.cpp -o ${program}.${unit}.o COMMAND_ERROR_IS_FATAL ANY)
    list(APPEND objects ${program}.${unit}.o)
  endforeach()
  execute_process(COMMAND ${CXX} ${objects} -o ${program} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_CURRENT_BINARY_DIR}/${program} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
  set(code ${code} PARENT_SCOPE)
  set(said "${out}${err}" PARENT_SCOPE)
endfunction()

build(sets_alike -march=x86-64 -march=x86-64)
if(NOT code EQUAL 0 OR NOT said STREQUAL "main() runs\n")
  message(FATAL_ERROR "units alike: ended with ${code}, said: ${said}")
endif()
foreach(pair "-march=x86-64 -march=haswell" "-march=haswell -march=x86-64")
  separate_arguments(pair UNIX_COMMAND "${pair}")
  list(POP_FRONT pair one two)
  build(sets_mixed ${one} ${two})
  # the compiler's default order of start differs between linkers: either unit may be the first
  set(sentence "gradus: [^\n]*(one|two)\\.cpp and [^\n]*(one|two)\\.cpp are compiled for different instruction sets, the first with(out)? [^\n]*AVX[^\n]*; give all units of a program the same -march\n")
  if(NOT code EQUAL 2 OR NOT said MATCHES "^${sentence}$")
    message(FATAL_ERROR "${one} beside ${two}: ended with ${code}, said: ${said}")
  endif()
endforeach()
