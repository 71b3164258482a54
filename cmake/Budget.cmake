# Fails the build when the C of privsep/ (what the privileged process maps) outgrows its budget.
# Code lines are lines that are neither blank nor comment only.
set(CT_PRIVSEP_BUDGET 1500)
add_custom_target(privsep_budget ALL
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR}/privsep -DLIMIT=${CT_PRIVSEP_BUDGET}
    -P ${CMAKE_SOURCE_DIR}/cmake/CountCode.cmake
  COMMENT "Counting code lines of privsep/" VERBATIM)
