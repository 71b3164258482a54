# Fails the build when the C that a privileged process maps outgrows its budget. There are three such programs: ctd-parent,
# which stays, maps all of privsep/; conntrackd, which is root during the start and then becomes ctd-parent by exec, maps
# privsep/base, privsep/ipc, privsep/handover (it enters no jail) and daemon/start/; ctd-queue maps base, ipc and jail of
# privsep/ and helpers/queue/, and has a budget of its own. Code lines are lines that are neither blank nor comment only.
set(CT_PRIVSEP_BUDGET 1500)
set(CT_QUEUE_BUDGET 1750)
add_custom_target(privsep_budget ALL
  COMMAND ${CMAKE_COMMAND} "-DROOTS=${CMAKE_SOURCE_DIR}/privsep" -DWHAT=privsep -DLIMIT=${CT_PRIVSEP_BUDGET}
    -P ${CMAKE_SOURCE_DIR}/cmake/CountCode.cmake
  COMMAND ${CMAKE_COMMAND}
    "-DROOTS=${CMAKE_SOURCE_DIR}/privsep/base,${CMAKE_SOURCE_DIR}/privsep/ipc,${CMAKE_SOURCE_DIR}/privsep/jail/jail.h,${CMAKE_SOURCE_DIR}/privsep/handover,${CMAKE_SOURCE_DIR}/daemon/start"
    -DWHAT=start -DLIMIT=${CT_PRIVSEP_BUDGET} -P ${CMAKE_SOURCE_DIR}/cmake/CountCode.cmake
  COMMAND ${CMAKE_COMMAND}
    "-DROOTS=${CMAKE_SOURCE_DIR}/privsep/base,${CMAKE_SOURCE_DIR}/privsep/ipc,${CMAKE_SOURCE_DIR}/privsep/jail,${CMAKE_SOURCE_DIR}/helpers/queue"
    -DWHAT=queue -DLIMIT=${CT_QUEUE_BUDGET} -P ${CMAKE_SOURCE_DIR}/cmake/CountCode.cmake
  COMMENT "Counting code lines of the privileged programs" VERBATIM)
