# Fails the build when the C that a privileged process maps outgrows its budget. There are two such programs: ctd-parent,
# which stays, maps all of privsep/; conntrackd, which is root during the start and then becomes ctd-parent by exec, maps
# privsep/ without parent/ and daemon/start/. Code lines are lines that are neither blank nor comment only.
set(CT_PRIVSEP_BUDGET 1500)
add_custom_target(privsep_budget ALL
  COMMAND ${CMAKE_COMMAND} "-DROOTS=${CMAKE_SOURCE_DIR}/privsep" -DWHAT=privsep -DLIMIT=${CT_PRIVSEP_BUDGET}
    -P ${CMAKE_SOURCE_DIR}/cmake/CountCode.cmake
  COMMAND ${CMAKE_COMMAND}
    "-DROOTS=${CMAKE_SOURCE_DIR}/privsep/base,${CMAKE_SOURCE_DIR}/privsep/ipc,${CMAKE_SOURCE_DIR}/privsep/jail,${CMAKE_SOURCE_DIR}/daemon/start"
    -DWHAT=start -DLIMIT=${CT_PRIVSEP_BUDGET} -P ${CMAKE_SOURCE_DIR}/cmake/CountCode.cmake
  COMMENT "Counting code lines of the privileged programs" VERBATIM)
