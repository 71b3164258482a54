# three nodes in one multicast group, as before, in FT-FW mode
. "$here/scenarios/three.sh"
THREE_MODE=FTFW
